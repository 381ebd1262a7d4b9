"""Commands about code: work orders on a repository, what came of them, and the agents."""

from __future__ import annotations

import re

from hub.frontends.commands.command import Argument, Command, Shape
from shared.kinds.code import Delivery, Level

_REPOSITORY = Argument(
    name="repo",
    summary="a folder or a URL; asked when left out",
    input="repository",
    looks_like=re.compile(
        r"""(?i)repo=.*|["']?(?:[a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:|~|[a-z]:[\\/]|\.{0,2}[\\/]|"""
        r"""[\w.-]+/)\S.*"""
    ),
    is_exact=True,
)
"""A first word that is a path or an address; any other word begins the instructions."""
_OPTIONS = (
    Argument(
        name="level",
        summary="how much it may do without asking: autonomous, supervised, human_required",
        choices=tuple(Level),
        named_only=True,
    ),
    Argument(
        name="delivery",
        summary="pull_request, branch or keep",
        choices=tuple(Delivery),
        named_only=True,
    ),
    Argument(name="agent", summary="one of /agents", named_only=True),
    Argument(name="model", summary="as in openai:gpt-5-mini", named_only=True),
    Argument(
        name="test",
        summary='how the tests are run, as in test="make test"',
        named_only=True,
        input="test_command",
    ),
    Argument(name="base", summary="the branch to start from", named_only=True),
    Argument(name="branch", summary="a branch of an earlier job to go on with", named_only=True),
    Argument(
        name="minutes",
        summary="how long it may work",
        named_only=True,
        input="minutes_max",
    ),
    Argument(
        name="cost",
        summary="US dollars that it may spend",
        named_only=True,
        input="cost_usd_max",
    ),
)
_ID = Argument(name="id", summary="the four characters after #", input="job")


def _order(name: str, summary: str, *, kind: str, text: str, example: str) -> Command:
    """Make the command of a work order: `/fix [REPO] what is wrong`, options before the words."""
    words = Argument(name="text", summary=text, shape=Shape.REST, input="instructions")
    return Command(
        name=name,
        summary=summary,
        arguments=(_REPOSITORY, *_OPTIONS, words),
        example=f"/{name} {example}",
        kind=kind,
    )


COMMANDS: tuple[Command, ...] = (
    _order(
        "fix",
        "Find and mend a bug in a repository",
        kind="code.bugfix",
        text="what is wrong",
        example="~/shop The totals test fails on leap days",
    ),
    _order(
        "feature",
        "Add something to a program",
        kind="code.feature",
        text="what it should do",
        example="~/shop Export orders as CSV",
    ),
    _order(
        "tests",
        "Write tests that are missing",
        kind="code.test",
        text="what is to be tested",
        example="~/shop The discount rules",
    ),
    _order(
        "docs",
        "Write or mend documentation",
        kind="code.docs",
        text="what is to be described",
        example="~/shop How to install it",
    ),
    _order(
        "refactor",
        "Make code better without changing what it does",
        kind="code.refactor",
        text="what is to be better",
        example="~/shop Split checkout.py",
    ),
    _order(
        "review",
        "Read code and say what is wrong with it",
        kind="code.review",
        text="what to look at",
        example="~/shop What changed in payments",
    ),
    Command(
        name="diff",
        summary="Show what a coding job changed",
        arguments=(_ID, Argument(name="file", summary="only this file")),
        example="/diff K7Q2",
        kind="code.diff",
    ),
    Command(
        name="agents",
        summary="The coding agents of your computers",
        kind="code.agents",
    ),
)
