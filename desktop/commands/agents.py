"""`deskhand agents`: the coding agents of this machine, whether they answer, how to get them."""

from __future__ import annotations

import argparse
import time

from desktop.commands.hosting import Host, hosted
from desktop.commands.printing import say, say_json, say_table
from desktop.commands.worker import EXIT_FAILED, EXIT_OK
from desktop.core.code.agent_profiles import profiles_of
from desktop.core.policy import Policy
from desktop.store import copied
from desktop.store.copied import Job
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from shared.database import peek
from shared.errors import AppError, Unavailable
from shared.ids import JobId
from shared.jobs import JobState
from shared.kinds.code import AgentFacts, AgentsOutput

KIND = "code.agents"
LOOK_SECONDS = 0.1
WAIT_SECONDS = 240.0


def run(paths: Paths, options: argparse.Namespace) -> int:
    """Look which agents answer; 0 when one does."""
    policy = load_policy(paths)
    with hosted(paths, policy) as (host, _):
        job = ended(host, host.request(KIND, {"fresh": options.fresh}))
    if job.row.state is not JobState.SUCCEEDED or job.result is None:
        raise _failed(job)
    told = AgentsOutput.model_validate(job.result)
    if options.json:
        say_json(told.model_dump(mode="json", include={"agents", "sandbox", "model"}))
    else:
        _say(told, policy)
    return EXIT_OK if any(agent.is_ready for agent in told.agents) else EXIT_FAILED


def ended(host: Host, job_id: JobId) -> Job:
    """Wait for the end of a job that asks nothing.

    Raises:
        AppError: whoever does it cannot go on, or takes too long.
    """
    ends = time.monotonic() + WAIT_SECONDS
    with peek(host.store) as connection:
        while True:
            host.check()
            found = copied.job(connection, job_id)
            if found is not None and found.row.state.is_terminal:
                return found
            if time.monotonic() > ends:
                raise Unavailable("too_slow", "That took too long.", "Try it again.")
            time.sleep(LOOK_SECONDS)


def _say(told: AgentsOutput, policy: Policy) -> None:
    how = {profile.name: profile.packages for profile in profiles_of(policy.code)}
    say_table(
        ("AGENT", "STATE", "VERSION", "ABOUT"),
        [
            (
                agent.name,
                "ready" if agent.is_ready else "not ready",
                agent.version,
                _about(agent, how.get(agent.name, "")),
            )
            for agent in told.agents
        ],
        wide=3,
    )
    say(f"Sandbox: {told.sandbox or 'none'}.")
    model = told.model or policy.code.model
    say(f"Model: {model}." if model else "Model: none is chosen; [code] model in the policy.")


def _about(agent: AgentFacts, how: str) -> str:
    if agent.is_ready:
        return agent.title
    if how and how not in agent.sentence:
        return f"{agent.sentence} Get it: {how}".strip()
    return agent.sentence


def _failed(job: Job) -> AppError:
    if job.row.error is not None:
        return AppError.from_body(job.row.error)
    return Unavailable("agents_unknown", "It was not found out.", "Try it again.")
