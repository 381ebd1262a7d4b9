"""What a machine can do is looked at while it runs, and told when it is seen twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.abilities import (
    AGENTS_AFTER_SECONDS,
    AGENTS_EVERY_SECONDS,
    MODELS_AFTER_SECONDS,
    MODELS_EVERY_SECONDS,
    Abilities,
)
from desktop.core.code.rules import CodeRules
from desktop.core.llm.locality import Found
from desktop.jobs import EXECUTORS
from desktop.system.code_tools import AGENTS_FILE
from shared.environment import Environment
from shared.kinds.catalogue import BUILT_IN

RULES = CodeRules(concurrent=3)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.environment = Environment(clock=self)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.seconds)


def answered(data: Path, *names: str, at: float = 0.0) -> None:
    """Write what the job that asks agents remembers."""
    path = data / AGENTS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    known = [
        {"facts": {"name": name, "is_ready": True}, "sandbox": "landlock", "looked_at": at}
        for name in names
    ]
    path.write_text(json.dumps(known), encoding="utf-8")


def abilities_of(data: Path, clock: Clock) -> Abilities:
    return Abilities(BUILT_IN, EXECUTORS, data, clock.environment, RULES)


def test_coding_kinds_tell_their_agents_and_how_many_at_once(tmp_path: Path) -> None:
    answered(tmp_path, "builtin", "codex")
    told = {c.kind: c for c in abilities_of(tmp_path, Clock()).capabilities}

    assert {"builtin", "codex", "landlock", "git"} <= set(told["code.review"].tools)
    assert told["code.review"].jobs_max == 3
    assert "python" in told["code.review"].specializations
    assert (told["ml.train"].tools, told["ml.train"].jobs_max) == ((), None)
    assert (told["code.diff"].tools, told["code.diff"].jobs_max) == ((), None)


def test_an_agent_that_was_added_is_news_when_it_is_seen_twice(tmp_path: Path) -> None:
    answered(tmp_path, "builtin")
    abilities = abilities_of(tmp_path, Clock())
    assert not abilities.look(RULES)

    answered(tmp_path, "builtin", "codex")
    assert not abilities.look(RULES)
    assert abilities.look(RULES)
    assert not abilities.look(RULES)
    assert any("codex" in c.tools for c in abilities.capabilities)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"facts": {"is_ready": true}}]'])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, content: str) -> None:
    answered(tmp_path)
    (tmp_path / AGENTS_FILE).write_text(content, encoding="utf-8")

    told = abilities_of(tmp_path, Clock()).capabilities
    assert not any("builtin" in c.tools for c in told)


def test_agents_are_looked_at_well_after_the_start_and_then_once_a_day(tmp_path: Path) -> None:
    clock = Clock()
    abilities = abilities_of(tmp_path, clock)
    assert not abilities.are_agents_due()

    clock.seconds = AGENTS_AFTER_SECONDS
    assert abilities.are_agents_due()
    assert not abilities.are_agents_due()

    clock.seconds += AGENTS_EVERY_SECONDS
    assert abilities.are_agents_due()


def test_what_was_found_a_moment_ago_is_not_looked_for_again(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, "builtin", at=clock.now().timestamp())
    abilities = abilities_of(tmp_path, clock)

    clock.seconds = AGENTS_AFTER_SECONDS
    assert not abilities.are_agents_due()


def test_without_git_there_is_no_coding_and_its_person_is_told_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    abilities = abilities_of(tmp_path, Clock())

    assert "code.review" not in abilities.ready
    assert "code.diff" in abilities.ready, "what was done before can be shown"
    assert "git" in abilities.remedies["code.review"]


def test_model_servers_of_this_machine_are_told_by_kinds_that_can_be_kept_local(
    tmp_path: Path,
) -> None:
    abilities = abilities_of(tmp_path, Clock())
    found = (Found("ollama", ("llama3",)),)
    assert abilities.found(found)
    assert not abilities.found(found)

    told = {c.kind: c for c in abilities.capabilities}
    assert (told["llm.ask"].tools, told["llm.ask"].specializations) == (
        ("local",),
        ("ollama:llama3",),
    )
    assert "local" in told["code.review"].tools
    assert told["ml.train"].tools == ()

    assert abilities.found(())
    assert not any("local" in c.tools for c in abilities.capabilities)


def test_model_servers_are_looked_for_a_moment_after_the_start_and_then_every_minute(
    tmp_path: Path,
) -> None:
    clock = Clock()
    abilities = abilities_of(tmp_path, clock)
    assert not abilities.are_models_due()
    clock.seconds = MODELS_AFTER_SECONDS
    assert abilities.are_models_due()
    assert not abilities.are_models_due()
    clock.seconds += MODELS_EVERY_SECONDS
    assert abilities.are_models_due()
