"""What must hold after a storm, whatever has happened in it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from desktop.store import rebuilt
from tests.chaos.storm_world import World

ENDED = frozenset({"succeeded", "failed", "cancelled"})
"""A dead letter waits for its person, too."""
BY_HAND = "Marked as done"


class Promises(Protocol):
    """What the person was promised (`tests.chaos.storm.Told`)."""

    asked: dict[str, str]
    answers: dict[str, set[str]]
    cancelled: set[str]
    changed: list[str]


@dataclass(frozen=True, slots=True)
class Found:
    """Sentences, one for each promise that was broken."""

    tried: int
    """Jobs that were looked at."""
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        return self.lost + self.doubled + self.stuck


def judge(world: World, promises: Promises, stuck: list[str]) -> Found:
    """Look at the hub's store, at the copies and at what jobs have left behind."""
    results = _results(world)
    states = world.hub_jobs()
    return Found(
        tried=len(promises.asked),
        lost=(
            *(f"{job} was promised and is gone" for job in promises.asked if job not in states),
            *_without_effect(world, promises, states, results),
            *_without_answer(promises, states, results),
            *_failed(promises, states, results),
            *_unsound(world),
            *drift(world),
        ),
        doubled=(
            *(f"{job} had its effect {n} times" for job, n in _marks(world).items() if n > 1),
            *promises.changed,
            *_asked_again(world),
        ),
        stuck=tuple(stuck),
    )


def _marks(world: World) -> Counter[str]:
    return Counter(world.marks.read_text().split()) if world.marks.exists() else Counter()


def _results(world: World) -> dict[str, str]:
    with world.hub_store() as connection:
        rows = connection.execute("select job_id, coalesce(result, error) from jobs").fetchall()
    return {job: told or "" for job, told in rows}


def _without_effect(
    world: World, promises: Promises, states: dict[str, str], results: dict[str, str]
) -> list[str]:
    marks = _marks(world)
    return [
        f"{job} succeeded without its effect"
        for job, kind in promises.asked.items()
        if kind == "play.effect" and states.get(job) == "succeeded"
        if not marks[job] and BY_HAND not in results[job]
    ]


def _without_answer(
    promises: Promises, states: dict[str, str], results: dict[str, str]
) -> list[str]:
    return [
        f"{job} went on with {results[job]}, answered was {sorted(given)}"
        for job, given in promises.answers.items()
        if states.get(job) == "succeeded" and BY_HAND not in results[job]
        if json.loads(results[job])["text"] not in given
    ]


def _failed(promises: Promises, states: dict[str, str], results: dict[str, str]) -> list[str]:
    """Nothing here fails by itself, and nobody gave up but where it was cancelled."""
    return [
        f"{job} has {states[job]}: {results[job]}"
        for job in promises.asked
        if states.get(job) == "failed"
        or (states.get(job) == "cancelled" and job not in promises.cancelled)
    ]


def _asked_again(world: World) -> list[str]:
    """A question that was answered is not asked again by a later attempt of its job."""
    asked: dict[object, int] = {}
    answered: dict[object, int] = {}
    found = []
    for kind, body in world.hub_events("question_asked", "question_answered"):
        job_id = body["job_id"]
        if kind == "question_answered":
            answered[job_id] = asked[body["question_id"]]
        else:
            fence = asked[body["question_id"]] = int(str(body["fence"]))
            if fence > answered.get(job_id, fence):
                found.append(f"{job_id} asked again what was answered")
    return found


def drift(world: World) -> list[str]:
    """Every machine's copy is what its events make when they are read anew."""
    found = []
    for machine in world.machines.values():
        copy = world.folder / f"{machine.name}.drift"
        machine.keep_copy(copy)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            differences = rebuilt.compare(connection)
        found += [f"{machine.name} drifts: {difference}" for difference in differences]
    return found


def _unsound(world: World) -> list[str]:
    """Every store is whole."""
    found = []
    with world.hub_store() as connection:
        said = connection.execute("pragma integrity_check").fetchone()[0]
        if said != "ok":
            found.append(f"the hub's store: {said}")
    return found
