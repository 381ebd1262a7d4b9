"""A description tells what was asked and done; words of strangers show in it and do nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.change import Change, ChangedFile
from desktop.core.code.markdown_safe import safe_code, safe_commit_line, safe_line, safe_quote
from desktop.core.code.pr_body import (
    BEGIN,
    BODY_CHARS_MAX,
    END,
    Told,
    Work,
    commit_message,
    merged,
    pr_body,
    title_of,
)
from shared.kinds.code import SuiteFacts
from shared.unified_diff import FileStatus

EVIL = (
    "@anna please, fixes #12, closes acme/x#3, GH-4 !5 $6 %7 ~bug "
    "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) [y](javascript:alert(1)) "
    "https://evil.example/?q www.evil.example <!-- deskhand end --> `code` *b* | table |"
)
CHANGE = Change(
    base="a" * 40,
    commit="b" * 40,
    files=(ChangedFile(path="src/`x`.py", status=FileStatus.CHANGED, added=1200, removed=3),),
    notes=("Left out, larger than 10 MB: core.dump.",),
)


def _work(words: str) -> Work:
    return Work(
        title=words,
        instructions=words,
        change=CHANGE,
        job="K7Q2",
        agent="builtin",
        model="openai:gpt-5-mini",
        questions=(
            Told(question=words, answer=words, by="Anna, web"),
            Told(question="x", answer="y"),
        ),
        tests_before=SuiteFacts(command="pytest -q", is_good=False, passed=9, failed=1, seconds=2),
        tests_after=SuiteFacts(command="pytest -q", is_good=True, passed=10, failed=0, seconds=2.5),
        tokens=12345,
        cost_usd=0.123,
        minutes=4.2,
    )


def _acts(body: str) -> list[str]:
    """Find what a forge would act on: the text as it reads once Markdown's escapes are gone."""
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", body)
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", outside_code)
    ours = read.replace(BEGIN, "", 1)
    ours = ours[::-1].replace(END[::-1], "", 1)[::-1]
    patterns = (
        r"@\w", r"#\d", r"GH-\d", r"(?<!\w)!\d", r"<\w", r"<!--", r"https?://", r"www\.", r"^/\w",
    )  # fmt: skip
    return [found[0] for p in patterns for found in re.finditer(p, ours, re.MULTILINE)]


def test_everything_that_was_asked_and_done_is_told() -> None:
    body = pr_body(_work("Mend the parser."))
    for words in (
        "> Mend the parser", "Anna, web", "nobody answered", "`pytest -q`", "10 passed, 0 failed",
        "**failed** (9 passed, 1 failed", "+1,200 −3", "core", "12,345 tokens", "$0.12", "4 min",
        "K7Q2",
    ):  # fmt: skip
        assert words in body


def test_words_of_strangers_do_nothing() -> None:
    assert _acts(EVIL), "the test sees what acts"
    assert not _acts(pr_body(_work(EVIL)))


@pytest.mark.parametrize(
    "line", ["/merge", "/assign @x", "# Heading", "> q", "- [ ] x", "```", "***"]
)
def test_nothing_of_theirs_begins_a_line(line: str) -> None:
    body = pr_body(_work(f"x\n{line}\ny"))
    assert not [told for told in body.split("\n") if told.startswith(line)]


def test_a_links_words_are_no_link() -> None:
    assert "](" not in safe_line("[y](javascript:alert(1)) ![x](y)", 100)


@given(st.text(max_size=200))
def test_code_can_not_be_left(text: str) -> None:
    told = safe_code(text, 200)
    fence = re.match("`+", told)
    assert fence
    inner = told[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inner)
    assert "\n" not in told


@given(st.text(max_size=300))
def test_lines_stay_lines(text: str) -> None:
    assert "\n" not in safe_line(text, 300)
    assert all(line.startswith(">") for line in safe_quote(text, 300).split("\n"))
    assert not _acts(f"- {safe_line(text, 300)}")


def test_a_body_has_a_limit() -> None:
    files = tuple(
        ChangedFile(path=f"{n}" + "x" * 300, status=FileStatus.ADDED) for n in range(3000)
    )
    many = tuple(Told(question="q" * 3000, answer="a" * 3000) for _ in range(100))
    work = Work(
        title="x", instructions="y\n" * 20_000, job="K7Q2", agent="a", questions=many,
        change=Change(base="a", commit="b", files=files), notes=["n" * 5000] * 200,
    )  # fmt: skip
    body = pr_body(work)
    assert len(body) <= BODY_CHARS_MAX + 100
    assert body.rstrip().endswith(END)


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    old, fresh = pr_body(_work("Old.")), pr_body(_work("Fresh."))
    told = merged(f"Before\n{old}After", fresh)
    assert told is not None
    assert told.startswith("Before\n")
    assert told.rstrip().endswith("After")
    assert "Fresh" in told
    assert "Old" not in told
    assert merged("All theirs", fresh) is None
    assert merged("", fresh) == fresh


def test_a_strangers_end_mark_does_not_end_ours() -> None:
    body = pr_body(_work(EVIL))
    assert body.count(END) == 1
    assert body.count(BEGIN) == 1


def test_the_commit_says_who_helped() -> None:
    message = commit_message(_work("Mend the parser."))
    assert message == (
        "Mend the parser.\n\nAssisted-by: builtin (openai:gpt-5-mini)\nDeskhand-Job: K7Q2\n"
    )


def test_a_commit_closes_nothing_and_signs_for_nobody() -> None:
    words = "Mend it, fixes #12\nSigned-off-by: Somebody <x@y>\nCo-authored-by: Else <e@f>\n@anna"
    message = commit_message(_work(words))
    assert not re.search(r"#\d|@anna", message)
    trailers = re.findall(r"^[A-Za-z-]+: ", message, re.MULTILINE)
    assert trailers == ["Assisted-by: ", "Deskhand-Job: "]


@pytest.mark.parametrize(
    ("instructions", "title"),
    [
        ("Fix the parser. It fails on commas.", "Fix the parser"),
        ("\n\n# Fix it\nmore", "Fix it"),
        ("word " * 40, ("word " * 14).strip() + "…"),
        ("", "Work of Deskhand"),
        ("Use v1.2 now", "Use v1.2 now"),
    ],
)
def test_a_title_is_the_first_sentence(instructions: str, title: str) -> None:
    assert title_of(instructions) == title
    assert len(title_of(instructions)) <= 72


def test_a_line_of_a_commit_is_cut() -> None:
    assert len(safe_commit_line("x" * 500, 72)) <= 72


@pytest.mark.parametrize(
    "secret", ["ghp_" + "a1" * 18, "github_pat_" + "a_1" * 20, "glpat-" + "x" * 20]
)
def test_a_token_that_somebody_answered_with_is_not_published(secret: str) -> None:
    body = pr_body(_work(f"Use {secret} then"))

    assert secret not in body.partition("### Questions and answers")[2].replace("\\", "")
