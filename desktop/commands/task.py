"""`deskhand task KIND name=value`, or words: ask for work; with --wait, stay until it is done."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pydantic import JsonValue

from desktop.commands import watching
from desktop.commands.deeds import ENVIRONMENT, request, running
from desktop.commands.finding import reading, worker_named
from desktop.commands.printing import say, say_json
from desktop.commands.questions import say_standing
from desktop.commands.worker import EXIT_OK, pairing_of
from desktop.jobs.added import KINDS
from desktop.system.control import not_running
from desktop.system.paths import Paths
from shared.errors import BadInput
from shared.events import TaskRequested
from shared.ids import JobId, TaskId, WorkerId, short
from shared.kinds import JsonObject, Kind, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.kinds.plan import PLAN


def run(paths: Paths, options: argparse.Namespace) -> int:
    """Ask for a job; return 0, or with --wait what its end means."""
    pairing = pairing_of(paths)
    kind, given = asked_for(options.kind, options.inputs)
    worker_id: WorkerId | None = None
    if options.here:
        worker_id = pairing.worker_id
    elif options.on:
        with reading(paths) as connection:
            worker_id = worker_named(connection, options.on)
    is_here = worker_id == pairing.worker_id
    inputs = inputs_of(kind, given, folder=Path.cwd() if is_here else None)
    if options.wait and running(paths, "ping") is None:
        raise not_running()
    job_id = _ask(paths, kind, inputs, options, worker_id)
    if options.wait:
        return watching.wait(paths, job_id, is_json=options.json)
    if options.json:
        say_json({"job_id": job_id, "job": short(job_id)})
    else:
        say(f"Asked for #{short(job_id)} ({kind.name}). See it: deskhand job {short(job_id)}")
        say_standing(paths, job_id)
    return EXIT_OK


def asked_for(kind_name: str, given: list[str]) -> tuple[Kind, list[str]]:
    """Find the kind that was named; a sentence in its place is a task to be planned.

    Raises:
        BadInput: `kind_unknown`.
    """
    if " " in kind_name.strip():
        return kind_named(PLAN, KINDS), [f"task={kind_name.strip()}", *given]
    return kind_named(kind_name, KINDS), given


def _ask(
    paths: Paths,
    kind: Kind,
    inputs: JsonObject,
    options: argparse.Namespace,
    worker_id: WorkerId | None,
) -> JobId:
    body = TaskRequested(
        task_id=TaskId(ENVIRONMENT.new_id()),
        job_id=JobId(ENVIRONMENT.new_id()),
        kind=kind.name,
        inputs=inputs,
        title=options.title or "",
        worker_id=worker_id,
    )
    arguments: JsonObject = {
        "kind": kind.name,
        "inputs": inputs,
        "title": body.title,
        "worker_id": worker_id or "",
    }
    told = request(paths, "request", arguments, body)
    return body.job_id if told is None else JobId(str(told["job_id"]))


def inputs_of(kind: Kind, given: list[str], *, folder: Path | None) -> JsonObject:
    """Read `name=value` pairs as the kind takes them; a value that is JSON is read as such.

    Args:
        kind: whose inputs.
        given: as typed.
        folder: where the person stands, when the job runs on this machine: a file that is named
            from there becomes a whole path. None when another machine may get it.

    Raises:
        BadInput: `inputs_invalid`.
    """
    inputs: JsonObject = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise BadInput(
                "inputs_invalid",
                f"'{pair[:60]}' is no input.",
                f"Write name=value. {kind.name} takes: {', '.join(kind.inputs.model_fields)}.",
            )
        inputs[name] = _whole(text, folder)
    try:
        parse_inputs(kind, inputs)
    except BadInput:
        # What the kind does not take as text may be a number, a list, yes or no.
        inputs = {name: _as_json(value) for name, value in inputs.items()}
        parse_inputs(kind, inputs)
    return inputs


def _whole(text: str, folder: Path | None) -> str:
    if folder is None or not text:
        return text
    place = folder / Path(text).expanduser()
    return str(place.resolve()) if place.is_file() else text


def _as_json(value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        return value
    try:
        told: JsonValue = json.loads(value)
    except ValueError:
        return value
    return told
