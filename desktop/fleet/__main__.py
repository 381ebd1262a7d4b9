"""deskhand-fleet worker: a node that takes work for a hub from a broker. Options or environment.

Everything heavy is imported once it is known what to do.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from shared.lean import import_structlog

if TYPE_CHECKING:
    from desktop.fleet.setup import NodeSetup
    from shared.errors import AppError

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_REFUSED = 3
"""The hub does not take this node's key: starting it again would not help."""
KEY_CODES = ("key_invalid", "key_scope")
WORKER = """\
Takes what the hub hands to its fleet, a few jobs at once, until it is ended. Ctrl-C lets what
runs come to its end; a second one does not wait. --hub, --broker, --kinds and a key are needed:
  deskhand-hub keys create nodes --scope fleet        # where the hub runs; its key into a file
  deskhand-fleet worker --hub https://hub.example.org --key-file nodes.key \\
    --broker redis://broker.example.org:6379/0 --kinds llm.ask,llm.probe
Keys of models come from the environment. docs/fleet.md tells the rest."""
OPTIONS = {
    "hub": "address of the hub, as in https://hub.example.org",
    "key-file": "file that holds a key of scope fleet (else DESKHAND_FLEET_KEY)",
    "broker": "address of the broker: redis://, rediss://, amqp:// or amqps://",
    "kinds": "what to run, as in llm.ask,llm.probe",
    "slots": "jobs at once (4)",
    "pool": "the pool that it counts for, as its scaler calls it",
    "node": "its name; no other that runs may have it",
    "instance": "the container, machine or pod that it runs in",
    "policy": "a worker's policy file: its [llm], [web] and [network] count",
    "metrics": "where Prometheus may read figures, as in 127.0.0.1:9464; nowhere without it",
    "drain-seconds": "how long jobs may go on once the node is to end (600)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    import_structlog()
    from shared import logs

    logs.configure(json_lines=options.json_logs, level="DEBUG" if options.debug else "INFO")
    from shared.errors import AppError

    try:
        from desktop.fleet.setup import read_setup

        told = {name: getattr(options, name.replace("-", "_")) for name in OPTIONS}
        setup = read_setup(told, os.environ)
        _check_celery()
        return _run(setup)
    except AppError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return 130


def _run(setup: NodeSetup) -> int:
    from desktop.fleet.program import run

    run(setup)
    return EXIT_OK


def _check_celery() -> None:
    from shared.errors import Unavailable

    if find_spec("celery") is None:
        raise Unavailable(
            "celery_missing",
            "Celery is not installed here.",
            "Install it: pip install 'deskhand[desktop,fleet]'.",
        )


def _tell(error: AppError) -> int:
    from shared import logs
    from shared.plain_text import plain

    if not logs.tell_end(error):
        print(plain(f"deskhand-fleet: {error.message} ({error.code})"), file=sys.stderr)
        if error.hint:
            print(plain(f"  {error.hint}"), file=sys.stderr)
    return EXIT_REFUSED if error.code in KEY_CODES else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deskhand-fleet", description="Nodes of a hub's fleet. No person's files come here."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    worker = commands.add_parser(
        "worker",
        help="take work until it is ended",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=WORKER,
    )
    for name, told in OPTIONS.items():
        variable = "DESKHAND_FLEET_" + name.upper().replace("-", "_")
        worker.add_argument(f"--{name}", metavar="…", help=f"{told}; or {variable}")
    worker.add_argument("--json-logs", action="store_true", help="log lines for machines")
    worker.add_argument("--debug", action="store_true", help="log every step")
    return parser


if __name__ == "__main__":
    sys.exit(main())
