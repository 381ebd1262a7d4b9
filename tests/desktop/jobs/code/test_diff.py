"""A kept change is shown when somebody asks for it, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.result_size import RESULT_BYTES_MAX
from desktop.jobs.code.diff import changes_of, run
from desktop.jobs.code.kept import KeptFacts
from shared.errors import NotAllowed, NotFound
from shared.ids import short
from shared.kinds.code import DIFF_CHARS_MAX, DiffInputs, FileFacts, SuiteFacts
from tests.desktop.jobs.fake_shared import JOB, FakeShared, shared_of

A = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a - b\n+a + b\n"
B = "diff --git a/b.py b/b.py\n--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-x\x1b[2J\n+y\n"
FACTS = KeptFacts(
    job=JOB,
    branch="deskhand/k7q2-utc",
    files=(FileFacts(path="a.py", added=1, removed=1), FileFacts(path="b.py")),
    files_total=2,
    added=14,
    removed=3,
    tests_after=SuiteFacts(is_good=True, passed=41, failed=0),
)


@pytest.fixture
def context(tmp_path: Path) -> FakeShared:
    context = shared_of(tmp_path)
    changes_of(context.data_folder).keep(FACTS, A + B)
    return context


@pytest.mark.parametrize("name", [JOB, short(JOB), f"#{short(JOB).lower()}", None])
async def test_a_change_is_found_by_its_job(context: FakeShared, name: str | None) -> None:
    output = await run(context, DiffInputs(job=name))

    assert output.headline == "2 files, +14 −3 on deskhand/k7q2-utc."
    assert output.diff.startswith(A)
    assert output.tests_after == FACTS.tests_after


async def test_what_acts_in_a_diff_is_shown_and_does_nothing(context: FakeShared) -> None:
    output = await run(context, DiffInputs(job=JOB, file="b.py"))

    assert output.diff == B.replace("\x1b", "\ufffd")
    assert not output.is_cut


async def test_a_file_that_is_not_in_it_is_told(context: FakeShared) -> None:
    with pytest.raises(NotFound, match=r"no file c\.py"):
        await run(context, DiffInputs(job=JOB, file="c.py"))


@pytest.mark.parametrize("name", ["ZZZZ", "../../../etc", "", "01900000-0000-7000-8000-0000000000"])
async def test_a_job_without_a_change_has_none_to_show(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound) as told:
        await run(shared_of(tmp_path), DiffInputs(job=name))

    assert told.value.code == "change_missing"


async def test_a_long_diff_is_cut_at_the_end_of_a_line(context: FakeShared) -> None:
    line = "+" + "x" * 98 + "\n"
    changes_of(context.data_folder).keep(FACTS, A + line * (DIFF_CHARS_MAX // 50))

    output = await run(context, DiffInputs(job=JOB))

    assert output.is_cut
    assert len(output.diff) <= DIFF_CHARS_MAX
    assert output.diff.endswith(line)
    assert len(output.model_dump_json().encode()) <= RESULT_BYTES_MAX
    assert [path.name for path, _ in context.plain.sent] == ["k7q2-utc.diff"]
    assert context.plain.sent[0][0].read_text() == A + line * (DIFF_CHARS_MAX // 50)


async def test_a_diff_that_fits_comes_without_a_file(context: FakeShared) -> None:
    await run(context, DiffInputs(job=JOB))
    assert context.plain.sent == []


async def test_a_diff_leaves_the_machine_only_for_whom_files_may(context: FakeShared) -> None:
    context.plain.may_send = False

    with pytest.raises(NotAllowed):
        await run(context, DiffInputs(job=JOB))
