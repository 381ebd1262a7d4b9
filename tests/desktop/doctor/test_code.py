"""The doctor says what stands in the way of coding jobs, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules, CustomAgent
from desktop.core.policy import Policy
from desktop.doctor.code import examine_code
from desktop.doctor.finding import Finding
from desktop.system.paths import Paths


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made = Paths(data=tmp_path, config=tmp_path)
    made.keys.mkdir(parents=True)
    return made


def found(paths: Paths, rules: CodeRules | None = None) -> list[Finding]:
    return list(examine_code(paths, Policy(code=rules or CodeRules())))


def wrong(paths: Paths, rules: CodeRules) -> tuple[str, str]:
    """Return the sentence and the hint of the one thing that is wrong."""
    (one,) = (finding for finding in found(paths, rules) if not finding.is_well)
    return one.sentence, one.hint


def test_a_machine_as_it_comes_is_well(paths: Paths) -> None:
    told = found(paths)
    assert all(finding.is_well for finding in told)
    assert any("Deskhand's own agent" in finding.sentence for finding in told)


def test_a_machine_without_git_says_how_to_get_it(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence, hint = wrong(paths, CodeRules())
    assert "git is missing" in sentence
    assert "git" in hint


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (CodeRules(agent="claud"), "no coding agent 'claud'"),
        (CodeRules(agents_allowed=("builtin", "claud")), "names 'claud', which is no agent"),
        (CodeRules(agents=(CustomAgent(name="mine", command=("/no/such",)),)), "'mine' is not"),
        (CodeRules(model="nowhere:gpt"), "[code] model: "),
        (CodeRules(model="openai:gpt-5-mini"), "whose key is not here"),
        (CodeRules(repositories=("github",)), '"github" under repositories names no place'),
    ],
    ids=["agent", "allowed", "program", "model", "key", "pattern"],
)
def test_what_the_policy_names_and_is_not_there_is_told(
    paths: Paths, rules: CodeRules, words: str
) -> None:
    sentence, hint = wrong(paths, rules)
    assert words in sentence
    assert hint


def test_keys_that_are_kept_are_named_and_never_shown(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp-canary")
    told = found(paths, CodeRules(model="openai:gpt-5-mini"))

    sentences = " ".join(finding.sentence for finding in told)
    assert "Agents ask openai:gpt-5-mini" in sentences
    assert "GITHUB_TOKEN" in sentences
    assert "canary" not in sentences
