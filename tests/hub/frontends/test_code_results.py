"""What came of coding jobs, as a chat tells it."""

from __future__ import annotations

import pytest

from hub.core.view import FrontendCapabilities, View, degraded
from hub.frontends.code_results import is_web_page
from hub.frontends.results import result_view
from shared.ids import JobId, short
from shared.kinds import Output
from shared.kinds.code import (
    AgentFacts,
    AgentsOutput,
    CodeOutput,
    DiffOutput,
    FileFacts,
    SuiteFacts,
)

JOB = JobId("01900000-0000-7000-8000-00000000aaaa")
FILES = (
    FileFacts(path="shop/clock.py", added=10, removed=3),
    FileFacts(path="tests/test_clock.py", what="added", added=4),
)
DIFF = (
    "diff --git a/shop/clock.py b/shop/clock.py\n"
    "--- a/shop/clock.py\n+++ b/shop/clock.py\n"
    "@@ -1 +1 @@\n-now = local()\n+now = utc() & <b>more</b>\n"
)
FIXED = CodeOutput(
    headline="bugfix #AAAA is done: 2 files, +14 −3, tests 41 passed (3 were red).",
    notes=("shop/clock.py (+10 −3)",),
    repository="github.com/anna/shop",
    branch="deskhand/k7q2-utc",
    is_pushed=True,
    url="https://github.com/anna/shop/pull/12",
    agent="builtin",
    model="openai:gpt-5-mini",
    files_changed=FILES,
    files_total=2,
    added=14,
    removed=3,
    tests_before=SuiteFacts(is_good=False, passed=38, failed=3),
    tests_after=SuiteFacts(is_good=True, passed=41, failed=0),
    cost_usd=0.021,
    seconds=192,
    sandbox="bubblewrap",
)
SHOWN = DiffOutput(
    headline="2 files, +14 −3.", job=str(JOB), diff=DIFF, files_changed=FILES, files_total=2,
    added=14, removed=3, tests_after=SuiteFacts(is_good=True, passed=41),
)  # fmt: skip
TELEGRAM = FrontendCapabilities(buttons_max=50, files=True, text_chars_max=4096)


def told(kind: str, output: Output) -> View:
    return result_view(kind, output.model_dump(mode="json"), job_id=JOB, label="fix shop")


def test_a_mended_bug_is_told_once_with_ways_to_go_on() -> None:
    view = told("code.bugfix", FIXED)
    assert view.text.splitlines() == [
        "bugfix #AAAA is done: 2 files, +14 −3, tests 41 passed (3 were red).",
        "shop/clock.py (+10 −3)",
        "(builtin, sandbox: bubblewrap)",
    ]
    assert [(b.label, b.url or b.says) for b in view.buttons] == [
        ("Open the pull request", "https://github.com/anna/shop/pull/12"),
        ("Show diff", f"/diff {JOB}"),
    ]


def test_a_review_offers_no_diff() -> None:
    output = CodeOutput(headline="review #AAAA: 1 finding.", notes=("high: b.py:7: The lock.",))
    view = told("code.review", output)
    assert view.text.splitlines() == ["review #AAAA: 1 finding.", "high: b.py:7: The lock."]
    assert view.buttons == ()


def test_of_many_files_of_a_change_the_first_are_named_and_the_rest_counted() -> None:
    files = tuple(FileFacts(path=f"f{n}.py", added=1) for n in range(30))
    many = SHOWN.model_copy(update={"files_changed": files, "files_total": 250})
    lines = told("code.diff", many).text.splitlines()
    assert "  M f11.py +1 −0" in lines
    assert "  and 238 more files" in lines


def test_a_small_change_is_a_block_where_files_can_be_sent() -> None:
    view = degraded(told("code.diff", SHOWN), TELEGRAM)
    assert view.sheet is not None
    assert (view.sheet.name, view.sheet.text) == (f"{short(JOB).lower()}.diff", DIFF)
    assert view.text.splitlines()[1:] == [
        "  M shop/clock.py +10 −3",
        "  A tests/test_clock.py +4 −0",
        "✓ Tests: 41 passed",
    ]


def test_where_no_files_can_be_sent_the_change_ends_the_text_as_far_as_it_fits() -> None:
    text = told("code.diff", SHOWN).text
    roomy = degraded(told("code.diff", SHOWN), FrontendCapabilities(text_chars_max=1600))
    assert roomy.text == f"{text}\n\n{DIFF.rstrip()}"
    narrow = degraded(told("code.diff", SHOWN), FrontendCapabilities(text_chars_max=len(text) + 90))
    assert narrow.text.endswith("\n--- a/shop/clock.py\n… and 4 more lines")
    assert len(narrow.text) <= len(text) + 90


def test_a_cut_change_says_so_and_what_acts_in_it_does_not() -> None:
    output = SHOWN.model_copy(update={"diff": DIFF + "+\x1b[2J\u202e", "is_cut": True})
    sheet = told("code.diff", output).sheet
    assert sheet is not None
    assert "\x1b" not in sheet.text
    assert "\u202e" not in sheet.text
    assert "(Cut here; the computer has all of it.)" in sheet.text


def test_names_that_strangers_chose_stay_on_their_line() -> None:
    hostile = FileFacts(path="a.py\n✓ Tests: 9 passed\u202e", added=1)
    lines = told("code.diff", SHOWN.model_copy(update={"files_changed": (hostile,)})).text
    assert "  M a.py ✓ Tests: 9 passed\ufffd +1 −0" in lines.splitlines()


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "ftp://x/y", "https://", "https://x /y", "https://[", "//x/y",
     "https://x/\u202e", "https://x/" + "y" * 1000],
    ids=["none", "script", "ftp", "nowhere", "blank", "broken", "relative", "bidi", "long"],
)  # fmt: skip
def test_only_a_web_page_becomes_a_button(url: str) -> None:
    assert not is_web_page(url)
    view = told("code.bugfix", FIXED.model_copy(update={"url": url}))
    assert [b.label for b in view.buttons] == ["Show diff"]


def test_agents_are_listed_with_why_one_is_not_ready() -> None:
    output = AgentsOutput(
        headline="1 of 2 agents is ready.",
        agents=(
            AgentFacts(name="builtin", is_ready=True, sentence="Ready."),
            AgentFacts(name="codex", version="2.6", sentence="Is not installed."),
        ),
        sandbox="bubblewrap",
        model="local:tiny",
    )
    assert told("code.agents", output).text.splitlines() == [
        "1 of 2 agents is ready.",
        "✓ builtin: Ready.",
        "– codex 2.6: Is not installed.",
        "Sandbox: bubblewrap",
        "Model: local:tiny",
    ]
