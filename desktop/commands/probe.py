"""`deskhand probe FILE --models a,b`: put the scenarios of a file to models, and see what came.

Exit codes: 0 every probe has an answer or a refusal; 6 the run ended and some probes failed;
1 it failed as a whole; 4 somebody cancelled it; 5 nobody knows how far it came; 130 stopped by
Ctrl-C, to be gone on with by --resume.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
from pathlib import Path

from pydantic import JsonValue

from desktop.commands.hosting import hosted
from desktop.commands.printing import say, say_json
from desktop.commands.probe_ending import exported, lines, shape
from desktop.commands.probe_watch import Ended, RunWatch
from desktop.commands.watching import ENDS
from desktop.commands.worker import EXIT_OK
from desktop.core.policy import Policy
from desktop.jobs.llm.examples import example
from desktop.store.transcripts import opening, reading
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from shared.errors import BadInput, LimitReached, NotFound
from shared.kinds import JsonObject, parse_inputs
from shared.kinds.catalogue import kind_named

EXIT_PARTIAL = 6
EXIT_STOPPED = 130
KIND = "llm.run"
INLINE_BYTES_MAX = 48 * 1024
"""Of a definition that travels with the request instead of being read where it lies."""


def run(paths: Paths, options: argparse.Namespace) -> int:
    """Ask for a run, or go on with one; stay until it has ended."""
    policy = load_policy(paths)
    again = _run_id(paths, options)
    file = None if again else _file(options.definition)
    try:
        with hosted(paths, _widened(policy, file)) as (host, is_own):
            inputs = _inputs(options, again, file, policy, is_own=is_own)
            parse_inputs(kind_named(KIND), inputs)
            job_id = host.request(KIND, inputs)
            watch = RunWatch(
                paths, host, job_id, again or job_id, is_own=is_own, is_quiet=options.json
            )
            ended = watch.until_end()
    finally:
        # What is left are last words; who presses Ctrl-C on and on would cut them off.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    is_there = ended.run is not None
    export = exported(paths, again or job_id, options.export, options.out) if is_there else ()
    if options.json:
        say_json(shape(paths, ended, export))
    else:
        for line in lines(paths, ended, export):
            say(line)
    return code_of(ended)


def code_of(ended: Ended) -> int:
    """Return what an end means for a script."""
    if ended.is_stopped:
        return EXIT_STOPPED
    code = ENDS.get(ended.job.row.state, EXIT_STOPPED)
    is_whole = ended.run is None or not ended.run.failed
    return code if code != EXIT_OK or is_whole else EXIT_PARTIAL


def _run_id(paths: Paths, options: argparse.Namespace) -> str:
    """Find the run to go on with; empty for a new one.

    Raises:
        BadInput: `resume_alone`.
        NotFound: `run_unknown`, `no_runs`.
    """
    if options.resume is None:
        return ""
    news = (options.definition, options.models, options.repeats, options.scenarios, options.seed)
    if any(one is not None for one in news):
        raise BadInput(
            "resume_alone",
            "A run goes on as it was begun, with its own file and models.",
            "Leave them out with --resume, or begin a new run without it.",
        )
    with opening.reading(paths.data) as connection:
        return reading.run_named(connection, options.resume)


def _file(name: Path | None) -> Path:
    if name is None:
        raise BadInput(
            "definition_missing",
            "It is not said what to ask.",
            "Name a definition file: deskhand probe dilemmas.yaml --models openai:gpt-5-mini",
        )
    # "~somebody" may have no home here, and a name may be longer than any file's.
    with contextlib.suppress(OSError, RuntimeError):
        file = name.expanduser().resolve()
        if file.is_file():
            return file
    found = example(str(name))
    if found is None:
        raise NotFound("file_missing", f"There is no file {name}.", "Check its name.")
    return found


def _widened(policy: Policy, file: Path | None) -> Policy:
    """Let what runs in this process read the file that the person named."""
    if file is None:
        return policy
    return policy.model_copy(update={"folders": (*policy.folders, str(file.parent))})


def _inputs(
    options: argparse.Namespace, again: str, file: Path | None, policy: Policy, *, is_own: bool
) -> JsonObject:
    wanted: JsonObject = {"again": again} if again else {}
    if file is not None:
        if is_own or _is_allowed(file, policy):
            wanted |= {"definition": str(file)}
        elif file == example(file.stem):
            wanted |= {"definition": file.stem}
        else:
            wanted |= {"inline": _inline(file)}
    given: JsonObject = {
        "models": None if options.models is None else _names(options.models),
        "repeats": options.repeats,
        "scenarios_max": options.scenarios,
        "seed": options.seed,
        "cost_usd_max": options.cost_max,
    }
    return wanted | {name: value for name, value in given.items() if value is not None}


def _names(text: str) -> list[JsonValue]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _is_allowed(file: Path, policy: Policy) -> bool:
    return any(
        file.is_relative_to(Path(folder).expanduser().resolve()) for folder in policy.folders
    )


def _inline(file: Path) -> JsonObject:
    """Read a definition that the program which runs may not read itself.

    Raises:
        BadInput: as `definition.read`.
        LimitReached: `definition_too_large`.
    """
    from desktop.core.llm import definition

    told = definition.snapshot(definition.read(file.read_bytes()))
    if len(told.encode()) > INLINE_BYTES_MAX:
        raise LimitReached(
            "definition_too_large",
            f"{file.name} is too large to be handed to the program that runs.",
            f"Allow its folder: add {file.parent} to `folders` (deskhand policy tells where).",
        )
    values: JsonObject = json.loads(told)
    return values
