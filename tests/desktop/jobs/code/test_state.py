"""A job's state file: there after a kill, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.jobs.code.state import FILE_NAME, VERSION, Said, Stage, State, StateFile


def test_what_was_put_is_there_for_the_next_attempt(tmp_path: Path) -> None:
    StateFile(tmp_path).put(stage=Stage.CLONED, clone="c", agent_session="s")

    again = StateFile(tmp_path)

    assert again.now.clone == "c"
    assert again.now.has(Stage.CLONED)
    assert not again.now.has(Stage.WORKED)


def test_a_question_that_is_answered_again_counts_once(tmp_path: Path) -> None:
    state = StateFile(tmp_path)

    state.heard(Said(key="a", question="Which?", answer="UTC"))
    state.heard(Said(key="b", question="How?", answer="so"))
    state.heard(Said(key="a", question="Which?", answer="local"))

    assert [(one.key, one.answer) for one in StateFile(tmp_path).now.said] == [
        ("b", "so"),
        ("a", "local"),
    ]


@pytest.mark.parametrize(
    "left",
    [b"", b"{", b'{"version": 99, "clone": "c"}', b'{"stage": "flying"}', b"\xff\xfe", b"[]"],
    ids=["empty", "cut", "another_version", "unknown_stage", "no_text", "a_list"],
)
def test_what_is_no_state_is_a_new_beginning(tmp_path: Path, left: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(left)

    assert StateFile(tmp_path).now == State()


def test_a_write_that_was_cut_off_leaves_what_was_before(tmp_path: Path) -> None:
    StateFile(tmp_path).put(clone="c")
    (tmp_path / FILE_NAME).with_suffix(".new").write_text(f'{{"version": {VERSION}, "clo')

    assert StateFile(tmp_path).now.clone == "c"
    assert StateFile(tmp_path).put(clone="d").clone == "d"


def test_only_what_a_state_knows_can_be_put(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rounds"):
        StateFile(tmp_path).put(rounds="many")
