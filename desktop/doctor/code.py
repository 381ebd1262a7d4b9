"""Whether coding jobs can be done: git, the agent, the model, and what the policy names.

Nothing is started but git: which agents answer, `deskhand agents` finds out.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from desktop.core.code.agent_profiles import profile_of, profiles_of
from desktop.core.code.forge_keys import forge_keys
from desktop.core.code.repository_rules import parse_pattern
from desktop.core.code.rules import CodeRules
from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.model_name import find_model
from desktop.core.policy import Policy
from desktop.core.toolsets import git_command
from desktop.doctor.finding import Finding, well, wrong
from desktop.system.paths import Paths
from desktop.system.provider_keys import read_keys
from shared.errors import AppError

SECTION_HINT = "Mend it under [code] in the policy."


def examine_code(paths: Paths, policy: Policy) -> Iterator[Finding]:
    """Tell what stands in the way of coding jobs; what nobody asked for is no trouble."""
    rules = policy.code
    yield _git()
    yield from _agents(rules)
    if rules.model:
        yield _model(paths, policy)
    yield from _patterns(rules)
    if tokens := ", ".join(sorted(read_keys(forge_keys(rules), paths))):
        yield well("code", f"Keys for places of git: {tokens}")


def _git() -> Finding:
    found = shutil.which("git")
    if found is None:
        return wrong(
            "code", "git is missing, so there are no coding jobs", git_command(sys.platform)
        )
    return well("code", f"git is there ({found})")


def _agents(rules: CodeRules) -> Iterator[Finding]:
    profiles = profiles_of(rules)
    known = {profile.name for profile in profiles}
    try:
        chosen = profile_of(rules.agent, profiles)
    except AppError as error:
        yield wrong("code", error.message.rstrip("."), f"{error.hint} {SECTION_HINT}")
    else:
        yield well("code", f"Coding jobs are done by {chosen.title}, unless they name another")
    for name in rules.agents_allowed:
        if name != "*" and name not in known:
            yield wrong("code", f"agents_allowed names {name!r}, which is no agent", SECTION_HINT)
    for agent in rules.agents:
        if "{" not in agent.command[0] and shutil.which(agent.command[0]) is None:
            yield wrong(
                "code",
                f"The program of the agent {agent.name!r} is not found: {agent.command[0][:100]}",
                "Install it, write its whole path, or take it out of the policy.",
            )


def _model(paths: Paths, policy: Policy) -> Finding:
    endpoints = with_built_in(policy.llm.endpoints)
    try:
        model = find_model(policy.code.model, endpoints)
    except LlmFault as fault:
        return wrong("code", f"[code] model: {fault.message.rstrip('.')}", fault.hint)
    key = model.endpoint.key_name
    if key and not read_keys((key,), paths):
        return wrong(
            "code",
            f"Agents are to ask {policy.code.model}, whose key is not here",
            f"Keep it here: deskhand keys set {key}",
        )
    return well("code", f"Agents ask {policy.code.model}")


def _patterns(rules: CodeRules) -> Iterator[Finding]:
    for text in rules.repositories:
        try:
            parse_pattern(text)
        except AppError as error:
            yield wrong("code", error.message.rstrip("."), error.hint)
