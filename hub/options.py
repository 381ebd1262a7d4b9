"""The command line of `deskhand-hub`: which commands there are, and what each takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from hub import commands

HELP = """\
A hub relays what people say to workers on their own computers, and keeps the queue.

  deskhand-hub serve         start a hub on this machine
  deskhand-hub invite        get a code that pairs a computer with it
  deskhand-hub chat          talk to it here: /train, /jobs, /help
"""
AFTER = """\
Settings come from the environment (HUB_DATA, HUB_HOST, HUB_PORT …, see .env.example).
Try the whole round trip in a throw-away folder: deskhand-hub demo; or demo code, plan, fleet.
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deskhand-hub",
        description=HELP,
        epilog=AFTER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"deskhand-hub {commands.version()}")
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.set_defaults(run=None)

    serve = _command(
        subcommands,
        "serve",
        "start a hub on this machine",
        commands.serve,
        "Runs until Ctrl-C. At first start it makes its data folder, its store and the key of\n"
        "this machine's own commands (admin.key). Workers connect to http://HOST:PORT; put a\n"
        "TLS proxy in front when they come from other machines.",
    )
    serve.add_argument("--host", help="address to listen on (HUB_HOST; default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (HUB_PORT; default 8765)")
    serve.add_argument(
        "--until-input-ends",
        action="store_true",
        help="stop when standard input ends: with the program that started this one",
    )
    _data_option(serve)

    invite = _command(
        subcommands,
        "invite",
        "make a code that pairs a computer, or a link to the dashboard",
        commands.invite,
        "Prints a code that is good once, for 10 minutes, and links that open the chat. On a\n"
        "terminal it then waits for the computer and asks whether to let it in; Ctrl-C leaves the\n"
        "code valid. On the computer to be connected run\n"
        "  deskhand pair CODE --hub URL\n"
        "With --person, a new person is brought in and their key is printed, once.\n"
        "With --web, prints a link instead that signs a browser into the dashboard; --person says\n"
        "whom, and brings in whoever is not here yet.",
    )
    invite.add_argument(
        "--yes", action="store_true", help="let in whoever comes with the code, without asking"
    )
    invite.add_argument(
        "--web", action="store_true", help="a link to the dashboard instead of a code"
    )
    invite.add_argument("--person", metavar="NAME", help="bring in a new person by this name")
    _hub_options(invite)

    approve = _command(
        subcommands,
        "approve",
        "let in a computer or a person that waits, or list them",
        commands.approve,
        "Compare the two check words with what the computer shows. The four characters stand in\n"
        "  deskhand-hub approve list",
    )
    approve.add_argument("id", nargs="?", default="list", help="the four characters, or list")
    approve.add_argument("--no", action="store_true", help="turn it away")
    _hub_options(approve)

    chat = _command(
        subcommands,
        "chat",
        "talk to a hub in the terminal",
        commands.chat,
        "Type /help for the commands, a number to pick a choice, Ctrl-D to leave. Works in a\n"
        "pipe, too; each line waits for the answer to the one before:\n"
        "  printf '/train sales.csv\\nRevenue\\n' | deskhand-hub chat",
    )
    _hub_options(chat)

    doctor = _command(
        subcommands,
        "doctor",
        "say what is wrong and what mends it",
        commands.doctor,
        "Looks at the data folder, the store, the running hub, its frontends and its workers.\n"
        "Exit code 1 when something needs you.",
    )
    _hub_options(doctor)

    get = _command(
        subcommands,
        "get",
        "fetch a file that you asked for with /send",
        commands.get,
        "The hub keeps what a computer sent you until you were shown it, at most a day.\n"
        "  deskhand-hub get churn_new.predictions.csv -o ~/Downloads",
    )
    get.add_argument("name", help="the file's name, or the first digits the chat told")
    get.add_argument(
        "-o", "--output", type=Path, default=Path(), metavar="FOLDER", help="where to save it"
    )
    _hub_options(get)

    unlock = _command(
        subcommands,
        "unlock",
        "let chats start things again after /lock",
        commands.unlock,
        "Undoes a person's /lock. Only the hub's operator can do it here; on a connected\n"
        "computer of that person `deskhand unlock` does the same.",
    )
    unlock.add_argument("name", nargs="?", help="whose account (default: all that are locked)")
    _hub_options(unlock)

    _dead_commands(subcommands)
    fleet = _command(
        subcommands,
        "fleet",
        "the fleet: its broker, what waits and runs, its nodes",
        commands.fleet,
        "Nodes are those that said something in the last 45 s. Exit code 1 when there is a fleet\n"
        "and its broker is away. How many nodes there are is for `deskhand-hub scaler` to say.",
    )
    fleet.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
    _hub_options(fleet)
    _key_commands(subcommands)
    _backup_commands(subcommands)
    _scaler_commands(subcommands)
    demo = _command(
        subcommands,
        "demo",
        "the whole round trip in a throw-away folder",
        commands.demo,
        "Starts a hub and a worker on loopback, pairs them, trains a model in the chat, predicts\n"
        "with it, kills the worker in the middle of a second job and watches it recover.\n"
        "Takes one to three minutes and leaves nothing behind.",
    )
    demo.add_argument(
        "scene",
        nargs="?",
        choices=("models", "code", "plan", "fleet"),
        default="models",
        help="models (the default); code: an agent mends a bug in its sandbox; plan: a task in "
        "plain words; half a minute each; fleet: 500 jobs on nodes that come and go (one minute; "
        "needs redis-server)",
    )
    demo.add_argument("--jobs", type=int, metavar="N", help="with fleet: how many (500)")
    demo.add_argument(
        "--json",
        action="store_true",
        dest="as_json",
        help="print one JSON object as the last line; the transcript goes to standard error",
    )
    return parser


def _dead_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    dead = _command(
        subcommands,
        "dead",
        "jobs that ran out of tries: list, show, requeue, purge",
        commands.dead,
        "Lists dead letters with their last error, those of computers and of the fleet alike.\n"
        "  deskhand-hub dead --kind llm.ask --since 12h\n"
        "  deskhand-hub dead requeue K7Q2 M3XA\n"
        "  deskhand-hub dead requeue --fleet --yes",
    )
    # Without an action they are listed; the actions have options of their own.
    dead.set_defaults(action="list", ids=[])
    _dead_options(dead)
    actions = dead.add_subparsers(title="actions", metavar="ACTION")
    for name, summary, description in (
        ("list", "list them, as without an action", "The newest first, with their last error."),
        ("show", "how one came to that", "Every try: where it was, when, and why it failed."),
        (
            "requeue",
            "queue them again, with all their tries",
            "Those named by ID, those of the filters, or all. Asks back with their number unless\n"
            "each is named; --yes says yes beforehand.",
        ),
        (
            "purge",
            "forget them, here and on every computer",
            "Those named by ID, those of the filters, or all, with their tasks. Asks back with\n"
            "their number; --yes says yes beforehand. This cannot be taken back.",
        ),
    ):
        action = _command(actions, name, summary, commands.dead, description)
        action.set_defaults(action=name)
        if name != "list":
            action.add_argument(
                "ids", nargs="*", metavar="ID", help="the four characters after #, an id, or all"
            )
        if name in ("requeue", "purge"):
            action.add_argument("--yes", action="store_true", help="do not ask back")
        _dead_options(action)


def _dead_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", default="", help="only jobs of this kind")
    parser.add_argument(
        "--worker", default="", metavar="NAME", help="only those whose last try was on it"
    )
    parser.add_argument(
        "--fleet", action="store_true", help="only those whose last try was on the fleet"
    )
    parser.add_argument(
        "--since", default="", metavar="WHEN", help="only what died since: 30m, 12h, 3d, 2026-11-20"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
    _hub_options(parser)


SCOPES = ("read", "enqueue", "worker", "enrol", "fleet", "metrics", "person", "admin")


def _key_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    keys = _command(
        subcommands,
        "keys",
        "keys for programs: list, create, rotate, revoke",
        commands.list_keys,
        "Lists the keys: the last characters, scope, name, when used last. A key is shown once,\n"
        "when it is made; the hub keeps its hash.\n"
        "  deskhand-hub keys create ci --scope enqueue --days 90\n"
        "Scopes: read (look at everything of yours), enqueue (ask for work, and look at jobs),\n"
        "worker (register workers that fetch their work), enrol (let containers in), fleet (run\n"
        "what the fleet is given), metrics (read /metrics), person (all that you may do), admin\n"
        "(all that the hub's operator may do).",
    )
    _hub_options(keys)
    actions = keys.add_subparsers(title="actions", metavar="ACTION")
    create = _command(
        actions, "create", "make one and print it", commands.create_key, "It is told once."
    )
    create.add_argument("name", help="what it is for")
    create.add_argument("--scope", choices=SCOPES, required=True, help="what it may do")
    create.add_argument(
        "--kind", action="append", default=[], dest="kinds", metavar="KIND",
        help="with worker, enqueue and read: only this kind of jobs (may be repeated)",
    )  # fmt: skip
    create.add_argument("--days", type=int, help="how long it lives (default: until revoked)")
    create.add_argument("--person", metavar="NAME", help="for somebody else, by name")
    rotate = _command(
        actions,
        "rotate",
        "make one in place of another",
        commands.rotate_key,
        "The old one works on for a while, so that programs can be changed over one by one.",
    )
    rotate.add_argument("id", help="its name, or its last characters")
    rotate.add_argument(
        "--hours", type=int, default=24, help="how long the old one works on (default: 24)"
    )
    revoke = _command(
        actions,
        "revoke",
        "end one at once",
        commands.revoke_key,
        "Whatever it holds open ends, too.",
    )
    revoke.add_argument("id", help="its name, or its last characters")
    for action in (create, rotate, revoke):
        _hub_options(action)


def _backup_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = _command(
        subcommands,
        "backup",
        "one file with all that the hub on this machine knows",
        commands.backup,
        "The hub may run meanwhile. Without FILE it is put into the data folder's backups, where\n"
        "the hub puts one a day by itself (HUB_BACKUPS), and the oldest there are deleted.\n"
        "The file holds the hub's keys, too: only its owner may read it.",
    )
    backup.add_argument("file", nargs="?", type=Path, help="a file, or a folder to put it in")
    backup.add_argument(
        "--keep", type=int, metavar="N", help="how many to keep in backups (HUB_BACKUPS)"
    )
    _data_option(backup)

    restore = _command(
        subcommands,
        "restore",
        "bring a backup back",
        commands.restore,
        "The hub must not be running. What stands in the data folder is kept aside. Computers\n"
        "bring back by themselves what they did since; what may have run since, and must not run\n"
        "twice, asks its person. Says what else this means.",
    )
    restore.add_argument("file", nargs="?", type=Path, help="a backup")
    restore.add_argument("--latest", action="store_true", help="the newest in backups")
    _data_option(restore)


def _scaler_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scaler = _command(
        subcommands,
        "scaler",
        "as many nodes of the fleet as its work needs: plan, run",
        commands.scaler,
        "Looks at what waits and what runs, and starts or ends nodes where a file of pools says:\n"
        "  deskhand-hub scaler plan --pools fleet.toml\n"
        "Needs the key of the hub's operator: this machine's admin.key, --key-file or HUB_KEY.",
    )
    actions = scaler.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, summary, description in (
        ("plan", "what it would do now, and why", "A line for each pool. Changes nothing."),
        (
            "run",
            "do it, again and again, until it is stopped",
            "Each step is logged with its reason. Nodes go on when the scaler ends, and are found\n"
            "when it starts again. Hub and hosts may be away for a while.",
        ),
    ):
        action = _command(actions, name, summary, commands.scaler, description)
        action.set_defaults(action=name)
        action.add_argument("--pools", type=Path, required=True, metavar="FILE", help="fleet.toml")
        action.add_argument("--key-file", type=Path, metavar="FILE", help="a file that has the key")
        action.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
        if name == "run":
            action.add_argument(
                "--every", type=float, default=5.0, metavar="SECONDS", help="between looks (5)"
            )
        _hub_options(action)


def _command(
    subcommands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    run: object,
    description: str,
) -> argparse.ArgumentParser:
    parser = subcommands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (HUB_DATA)")


def _hub_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hub", metavar="URL", help="the hub (default: the one on this machine)")
    parser.add_argument("--key", help="your key (HUB_KEY; default: this machine's admin.key)")
    _data_option(parser)
