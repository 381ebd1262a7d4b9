"""Deeds of commands: told to the program that runs, or written into the store when none does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from desktop.commands.printing import say
from desktop.commands.worker import pairing_of
from desktop.store import saying
from desktop.store.salvage import open_own_store
from desktop.system.control import JsonObject, call
from desktop.system.paths import Paths
from desktop.system.single_instance import InstanceLock
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError
from shared.events import RequestEventBody

T = TypeVar("T")
NOT_RUNNING = "not_running"
ENVIRONMENT = Environment()


def running(paths: Paths, order: str, arguments: JsonObject | None = None) -> JsonObject | None:
    """Let the running program do something; None when none runs."""
    try:
        return call(paths.control, order, arguments or {})
    except AppError as error:
        if error.code != NOT_RUNNING:
            raise
        return None


def alone(paths: Paths, change: Callable[[Database], T]) -> T:
    """Change the store while no program runs.

    Raises:
        Conflict: `already_running`: one has started this moment.
    """
    paths.make()
    with InstanceLock(paths.lock), open_own_store(paths.store) as database:
        return change(database)


def request(
    paths: Paths, order: str, arguments: JsonObject, body: RequestEventBody
) -> JsonObject | None:
    """Say what the person asks for.

    Args:
        paths: of the profile.
        order: for the running program.
        arguments: of that order.
        body: what is written down when none runs.

    Returns:
        The program's answer; None when it was written down only, which the person is told.

    Raises:
        NotFound: `not_paired`.
    """
    pairing_of(paths)
    told = running(paths, order, arguments)
    if told is None:
        at = ENVIRONMENT.now()
        alone(paths, lambda d: d.submit(lambda c: saying.say(c, body, at=at)).result())
        say("Deskhand does not run now; the hub is told at its next start (deskhand --headless).")
    return told
