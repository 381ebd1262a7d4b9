"""Command line of the worker: pair | --headless | autostart | status | doctor | … | run-job.

Everything heavy is imported by the command that needs it; `run-job` is the child of a worker.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop.core.pair_link import is_link


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["run-job"]:
        # The child of a worker: no parser, no settings, only the executor's own imports.
        from desktop.runner.guard import start_guard

        start_guard()
        from desktop.runner.inside import main as run_job

        run_job()
    link = given.pop() if given and is_link(given[-1]) and "pair" not in given else ""
    options = _parser().parse_args(given)
    options.link = link
    from desktop import commands
    from shared.errors import AppError
    from shared.plain_text import plain

    try:
        return commands.run(options)
    except AppError as error:
        print(plain(error.message), file=sys.stderr)
        if error.hint:
            print(plain(error.hint), file=sys.stderr)
        return (
            commands.EXIT_REFUSED if isinstance(error, commands.Refused) else commands.EXIT_FAILED
        )
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deskhand",
        description="The worker on this machine. Your files, models and keys stay here.",
        epilog="First: ask your hub for a code (/connect in the chat), then `deskhand pair CODE`.",
    )
    parser.add_argument("--headless", action="store_true", help="run the worker, without a window")
    parser.add_argument(
        "--home", type=Path, metavar="FOLDER", help="keep everything in FOLDER (a profile apart)"
    )
    parser.add_argument(
        "--background", action="store_true", help="start in the tray, without a window"
    )
    parser.add_argument("--json-logs", action="store_true", help="log lines for machines")
    parser.add_argument("--debug", action="store_true", help="log every step")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    pair = commands.add_parser("pair", help="join a hub with a one-time code or a link")
    pair.add_argument(
        "code",
        nargs="?",
        help="as in BCDF-GHJK, from /connect; or a deskhand://pair link; without one this machine "
        "shows a code for you to send",
    )
    pair.add_argument("--hub", metavar="URL", help="https://hub.example.org")
    pair.add_argument("--yes", action="store_true", help="follow a link without asking")
    pair.add_argument("--name", help="what this machine is called in chats")
    pair.add_argument(
        "--folder",
        action="append",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="a folder whose files may be used (repeat for more)",
    )
    pair.add_argument(
        "--service",
        action="store_true",
        help="start the worker now, and at every login from now on",
    )
    autostart = commands.add_parser("autostart", help="start the worker when you log in")
    autostart.add_argument("switch", choices=("on", "off", "status"))
    setup = commands.add_parser("setup", help="add the training tools to this program")
    setup.add_argument("what", choices=("ml",))
    setup.add_argument("--dry-run", action="store_true", help="print the command, run nothing")
    commands.add_parser("status", help="how the worker is, and when it tries next")
    commands.add_parser("quit", help="end the tray app, as before an update")
    commands.add_parser("unlock", help="let chats start work again, after /lock")
    commands.add_parser("doctor", help="check store, policy, folders, tools and the hub")
    samples = commands.add_parser("samples", help="copy the sample tables into a folder")
    samples.add_argument("folder", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
