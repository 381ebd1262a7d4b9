"""A text file is changed once, as it was agreed, and the change can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.documents.diff import Diff
from desktop.core.llm.fault import LlmFault
from desktop.jobs.documents import edit, undo
from desktop.jobs.documents.changes import Changes, sha256
from desktop.jobs.documents.telling import asking
from desktop.jobs.llm.house import House
from shared.errors import AppError
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds.files import EditInputs, UndoInputs
from tests.desktop.jobs.fake_shared import FakeShared, shared_of
from tests.desktop.jobs.llm.room import CLOUD, LOCAL, Speaker

YES, NO = {"yes": "Yes"}, {"yes": "No"}


def job(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012x}")


def room(
    tmp_path: Path,
    replies: Mapping[str, str] | None = None,
    *,
    says: Callable[[str, str], str | LlmFault] = lambda model, question: "",
) -> FakeShared:
    context = shared_of(
        tmp_path, replies, endpoints=(LOCAL, CLOUD), keys={"OPENAI_API_KEY": "sk-1"}
    )
    context.kept[House] = House(lambda: {"OPENAI_API_KEY": "sk-1"}, Speaker(says))
    context.origin = Origin.LOCAL
    return context


def approval(after: str) -> str:
    return asking("", "", Diff("", 0, 0), sha256(after.encode())).key


def written(context: FakeShared, text: str, name: str = "notes.md") -> Path:
    path = context.folders[0] / name
    path.write_bytes(text.encode())
    return path


EDITS = ({"old": "two", "new": "2"},)


async def test_an_exact_edit_changes_that_alone_and_tells_its_diff(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = written(context, "one\r\ntwo\r\n")
    told = await edit.run(context, EditInputs.model_validate({"file": "notes.md", "edits": EDITS}))
    assert path.read_bytes() == b"one\r\n2\r\n"
    assert "-two\n+2\n" in told.diff
    assert told.headline == "notes.md was changed: +1 −1 lines."
    assert context.plain.written == [path]


async def test_edits_may_come_as_json_text(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = written(context, "two")
    await edit.run(context, EditInputs(file="notes.md", edits=json.dumps(EDITS)))
    assert path.read_text() == "2"


@pytest.mark.parametrize("origin", [Origin.CHAT, Origin.API, Origin.GROUP])
async def test_from_elsewhere_a_person_says_yes_to_what_they_have_seen(
    tmp_path: Path, origin: Origin
) -> None:
    context = room(tmp_path, {approval("one 2"): "No"})
    context.origin = origin
    path = written(context, "one two")
    inputs = EditInputs.model_validate({"file": "notes.md", "edits": EDITS})
    with pytest.raises(AppError) as caught:
        await edit.run(context, inputs)
    assert caught.value.code == "change_refused"
    assert path.read_text() == "one two"
    (asked,) = context.plain.asked
    assert asked.default == "no"
    assert "+one 2" in asked.text
    context.plain.replies = {approval("one 2"): "Yes"}
    await edit.run(context, inputs)
    assert path.read_text() == "one 2"


async def test_a_yes_counts_for_what_was_shown_also_after_a_crash(tmp_path: Path) -> None:
    answers = iter(
        ['{"edits": [{"old": "two", "new": "2"}]}', '{"edits": [{"old": "one", "new": "evil"}]}']
    )
    context = room(tmp_path, says=lambda model, question: next(answers))
    context.origin = Origin.CHAT
    path = written(context, "one two")
    inputs = EditInputs(file="notes.md", instructions="figures", model="local:tiny")
    with pytest.raises(AssertionError, match="nobody answers"):
        await edit.run(context, inputs)  # the process ends while the question is open
    context.plain.replies = {approval("one 2"): "Yes"}
    told = await edit.run(context, inputs)
    assert path.read_text() == "one 2"
    assert told.model == "local:tiny"


async def test_a_step_of_an_agreed_plan_is_not_asked_again(tmp_path: Path) -> None:
    context = room(tmp_path)
    context.origin = Origin.CHAT
    context.plain.is_planned = True
    path = written(context, "two")
    await edit.run(context, EditInputs(file="notes.md", text="whole"))
    assert path.read_text() == "whole"
    assert context.plain.asked == []


async def test_a_second_run_finds_it_done(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = written(context, "two")
    inputs = EditInputs.model_validate({"file": "notes.md", "edits": EDITS})
    first = await edit.run(context, inputs)
    path.write_text("changed by its person since")
    assert await edit.run(context, inputs) == first
    assert path.read_text() == "changed by its person since"


async def test_a_file_that_changed_while_a_person_thought_is_left(tmp_path: Path) -> None:
    context = room(tmp_path)
    context.origin = Origin.CHAT
    path = written(context, "one two")
    inputs = EditInputs.model_validate({"file": "notes.md", "edits": EDITS})
    with pytest.raises(AssertionError):
        await edit.run(context, inputs)
    path.write_text("theirs")
    context.plain.replies = {approval("one 2"): "Yes"}
    with pytest.raises(AppError) as caught:
        await edit.run(context, inputs)
    assert caught.value.code == "file_changed"
    assert path.read_text() == "theirs"


async def test_what_does_not_fit_goes_back_to_the_model(tmp_path: Path) -> None:
    answers = iter(
        [
            "no json",
            '{"edits": [{"old": "three", "new": "3"}]}',
            'x {"edits": [{"old": "two", "new": "2"}]}',
        ]
    )
    context = room(tmp_path, says=lambda model, question: next(answers))
    path = written(context, "one\r\ntwo\r\n")
    await edit.run(context, EditInputs(file="notes.md", instructions="x", model="local:tiny"))
    assert path.read_bytes() == b"one\r\n2\r\n"
    asked = context.kept[House]._speaker.asked  # type: ignore[attr-defined]
    assert "does not stand in notes.md" in asked[2][1]


async def test_after_three_rounds_it_is_given_up_and_nothing_changes(tmp_path: Path) -> None:
    context = room(tmp_path, says=lambda model, question: "no json")
    path = written(context, "one")
    with pytest.raises(AppError) as caught:
        await edit.run(context, EditInputs(file="notes.md", instructions="x", model="local:tiny"))
    assert caught.value.code == "reply_invalid"
    assert path.read_text() == "one"
    assert len(context.kept[House]._speaker.asked) == 3  # type: ignore[attr-defined]


async def test_nothing_leaves_without_a_yes(tmp_path: Path) -> None:
    context = room(tmp_path, {"may_send": "No"})
    written(context, "secret")
    with pytest.raises(AppError) as caught:
        await edit.run(
            context, EditInputs(file="notes.md", instructions="x", model="openai:gpt-5-mini")
        )
    assert caught.value.code == "sending_refused"
    assert context.kept[House]._speaker.asked == []  # type: ignore[attr-defined]


async def test_what_is_to_stay_local_goes_to_no_model_elsewhere(tmp_path: Path) -> None:
    context = room(tmp_path)
    written(context, "secret")
    with pytest.raises(AppError) as caught:
        await edit.run(
            context,
            EditInputs(file="notes.md", instructions="x", model="openai:gpt-5-mini", local=True),
        )
    assert caught.value.code == "model_not_local"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.md", bytes(range(32)) * 20, "file_binary"),
        ("a.docx", b"PK\x03\x04rest", "file_binary"),
        (".profile", b"two", "file_guarded"),
        ("a.md", b"x" * 4_000_001, "file_too_large"),
        ("a.md", b"three", "edit_not_found"),
    ],
    ids=["binary", "office", "hidden", "huge", "not-there"],
)
async def test_what_cannot_be_changed_is_left(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    context = room(tmp_path)
    path = context.folders[0] / name
    path.write_bytes(content)
    with pytest.raises(AppError) as caught:
        await edit.run(context, EditInputs.model_validate({"file": str(path), "edits": EDITS}))
    assert caught.value.code == code
    assert path.read_bytes() == content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "cp1252"])
async def test_the_encoding_of_a_file_stays(tmp_path: Path, encoding: str) -> None:
    context = room(tmp_path)
    path = context.folders[0] / "notes.txt"
    text = "Grüße an Zoë, two Stück.\n" * 20
    path.write_bytes(text.encode(encoding))
    await edit.run(context, EditInputs(file="notes.txt", text=text.replace("two", "zwölf")))
    assert path.read_bytes() == text.replace("two", "zwölf").encode(encoding)


async def test_letters_that_the_encoding_lacks_are_told(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = context.folders[0] / "notes.txt"
    path.write_bytes("Grüße\n".encode("cp1252") * 9)
    with pytest.raises(AppError) as caught:
        await edit.run(context, EditInputs(file="notes.txt", text="報"))
    assert caught.value.code == "letters_missing"


def undone(context: FakeShared, number: int, file: str | None) -> str:
    plain = replace(context.plain, job_id=job(number))
    return undo.run(plain, UndoInputs(file=file)).headline


async def test_a_change_is_taken_back_and_again(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = written(context, "two")
    inputs = EditInputs.model_validate({"file": "notes.md", "edits": EDITS})
    await edit.run(context, inputs)
    assert undone(context, 7, "notes.md") == "notes.md is as it was before that job: +1 −1 lines."
    assert path.read_text() == "two"
    with pytest.raises(AppError) as caught:
        undone(context, 8, f"#{context.job_id}")
    assert caught.value.code == "change_undone"
    undone(context, 9, f"#{job(7)}")
    assert path.read_text() == "2"
    undone(context, 10, "notes.md")
    assert path.read_text() == "two"


async def test_a_second_run_of_an_undo_does_nothing_more(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = written(context, "two")
    await edit.run(context, EditInputs.model_validate({"file": "notes.md", "edits": EDITS}))
    first = undone(context, 7, "notes.md")
    assert undone(context, 7, "notes.md") == first
    assert path.read_text() == "two"


async def test_what_was_changed_since_is_not_taken_back(tmp_path: Path) -> None:
    context = room(tmp_path)
    path = written(context, "two")
    await edit.run(context, EditInputs.model_validate({"file": "notes.md", "edits": EDITS}))
    path.write_text("2\nand theirs\n")
    with pytest.raises(AppError) as caught:
        undone(context, 7, f"#{context.job_id}")
    assert caught.value.code == "file_changed"
    assert "+and theirs" in caught.value.hint
    assert path.read_text() == "2\nand theirs\n"
    assert Changes(context.data_folder).find(job(7)) is None


async def test_asked_for_nothing_it_offers_what_can_be_taken_back(tmp_path: Path) -> None:
    context = room(tmp_path)
    with pytest.raises(AppError) as caught:
        undone(context, 6, None)
    assert caught.value.code == "changes_none"
    path = written(context, "two")
    await edit.run(context, EditInputs.model_validate({"file": "notes.md", "edits": EDITS}))
    context.plain.replies = {"change": "1"}
    undone(context, 7, None)
    assert path.read_text() == "two"


async def test_an_unknown_job_is_told(tmp_path: Path) -> None:
    context = room(tmp_path)
    written(context, "two")
    for given in (f"#{job(99)}", "notes.md"):
        with pytest.raises(AppError) as caught:
            undone(context, 7, given)
        assert caught.value.code == "change_unknown"
