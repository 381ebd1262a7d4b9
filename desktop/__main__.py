"""Command line of the worker: pair | --headless | autostart | status | doctor | … | run-job.

Everything heavy is imported by the command that needs it; `run-job` is the child of a worker.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.system.knock import SCHEME, knock
from shared.lean import import_structlog

if TYPE_CHECKING:
    from shared.errors import AppError

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 (its only name)

COUNT_MAX = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["in-box"]:
        # Ours in a sandbox, where the one self-contained program is all programs.
        from desktop.jobs.inside import run_inside

        return run_inside(given[1:]) or 0
    if given[:1] == ["run-job"]:
        # The child of a worker: no parser, no settings, only the executor's own imports.
        from desktop.runner.guard import start_guard

        start_guard()
        import_structlog()
        from desktop.runner.inside import main as run_job

        run_job()
    if knock(given):
        return 0
    # What a desktop hands over when a link is clicked; read strictly where it is followed.
    is_link = bool(given) and given[-1].strip().lower().startswith(SCHEME)
    link = given.pop() if is_link and "pair" not in given else ""
    options = _parser().parse_args(given)
    options.link = link
    from desktop import commands
    from shared.errors import AppError

    try:
        return commands.run(options)
    except AppError as error:
        if (logs := sys.modules.get("shared.logs")) is not None and logs.tell_end(error):
            return _exit_code(error)
        return _tell(error, is_json=bool(getattr(options, "json", False)))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read along has seen enough; Python would complain again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _exit_code(error: AppError) -> int:
    from desktop.commands.worker import exit_code

    return exit_code(error)


def _tell(error: AppError, *, is_json: bool) -> int:
    """Say what went wrong; a program that asked for JSON gets it in its own words, too."""
    from desktop.commands.worker import exit_code
    from shared.plain_text import plain

    if is_json:
        import json

        told = {"code": error.code, "message": error.message, "hint": error.hint}
        print(json.dumps({"error": told}, indent=1))
        return exit_code(error)
    print(plain(error.message), file=sys.stderr)
    if error.hint:
        print(plain(error.hint), file=sys.stderr)
    return exit_code(error)


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
    parser.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        nargs="?",
        const="127.0.0.1:9464",
        help="with --headless: show Prometheus figures there (default 127.0.0.1:9464)",
    )
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
    _add_work(commands)
    _add_probing(commands)
    _add_coding(commands)
    _add_reading(commands)
    _add_machine(commands)
    return parser


def _add_work(commands: Commands) -> None:
    """Asking for work, and looking after it."""
    task = commands.add_parser("task", help="ask for work: task ml.train file=sales.csv --wait")
    task.add_argument(
        "kind",
        metavar="KIND",
        help="ml.train, … or a sentence, which is planned",
    )
    task.add_argument("inputs", nargs="*", metavar="NAME=VALUE", help="what is known; else it asks")
    where = task.add_mutually_exclusive_group()
    where.add_argument("--here", action="store_true", help="on this machine, with your own rights")
    where.add_argument("--on", metavar="MACHINE", help="on that machine")
    task.add_argument("--title", help="a few words for lists")
    task.add_argument("--wait", action="store_true", help="stay, answer what it asks, tell its end")
    _json(task)
    for name, told in (("answer", "answer a question"), ("cancel", "stop a job")):
        command = commands.add_parser(name, help=told)
        command.add_argument("id", metavar="ID", help="4 characters, as in lists")
        if name == "answer":
            command.add_argument("value", nargs="+", metavar="VALUE", help="a number, label, words")
    purge = commands.add_parser("purge", help="forget all that a task told, on all machines")
    purge.add_argument("id", metavar="ID", help="4 characters, as in lists, or a task's id")
    purge.add_argument("--yes", action="store_true", help="do not ask")
    schedules = commands.add_parser("schedules", help="what is done again and again, and when")
    schedules.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=("list", "add", "pause", "resume", "run", "delete"),
        help="list them, or do something about one",
    )
    schedules.add_argument(
        "words",
        nargs="*",
        metavar="ID | WHEN WHAT",
        help='4 characters, as in lists; of a new one: "every weekday 8:00" "/predict churn a.csv"',
    )
    _json(schedules)
    retry = commands.add_parser("retry", help="try a failed job again")
    retry.add_argument("id", metavar="ID")


def _add_probing(commands: Commands) -> None:
    """Asking language models."""
    probe = commands.add_parser(
        "probe",
        help="put the scenarios of a file to language models",
        description="Put the scenarios of a definition file to models: each scenario to each "
        "model, as often as --repeats says. Ctrl-C stops it; nothing that was answered is lost.",
        epilog="Exit codes: 0 all is answered, 6 some probes failed, 1 it failed as a whole, "
        "4 cancelled, 130 stopped by Ctrl-C.",
    )
    probe.add_argument("definition", nargs="?", type=Path, metavar="FILE", help="YAML or JSON")
    probe.add_argument("--models", metavar="A,B", help="as in openai:gpt-5-mini,local:tiny")
    probe.add_argument("--repeats", type=int, metavar="N", help="each scenario so often per model")
    probe.add_argument("--scenarios", type=int, metavar="N", help="only the first N of the file")
    probe.add_argument("--seed", type=int, metavar="N", help="passed to the models")
    probe.add_argument("--cost-max", type=float, metavar="USD", help="ask before it costs more")
    probe.add_argument(
        "--resume", metavar="RUN", help="go on with a run: only what has no answer is asked"
    )
    forms = ("inspect", "jsonl", "csv")
    _export(probe, forms)
    _json(probe)
    _json(commands.add_parser("runs", help="runs of probes on this machine, the newest first"))
    transcript = commands.add_parser("transcript", help="what was said in one probe of a run")
    transcript.add_argument("run", metavar="RUN", help="its id, or its number in the list of runs")
    transcript.add_argument("index", type=int, nargs="?", metavar="INDEX", help="which, from 0")
    _export(transcript, forms)
    _json(transcript)


def _export(command: argparse.ArgumentParser, forms: tuple[str, ...]) -> None:
    command.add_argument("--export", choices=forms, help="write all transcripts of the run")
    command.add_argument("--out", type=Path, metavar="FILE|FOLDER", help="where to; here if not")


def _add_coding(commands: Commands) -> None:
    """Working on code."""
    code = commands.add_parser(
        "code",
        help="have an agent work on a repository: code fix -m 'dates are off by one'",
        description="Have a coding agent work on a repository, in a sandbox, on a copy of its own. "
        "What it did is tested and shown before anything is pushed. Ctrl-C stops it.",
        epilog="Exit codes: 0 done, 1 failed, 4 cancelled, 5 nobody knows how far it came, 130 "
        "stopped by Ctrl-C. deskhand agents lists the agents of this machine.",
    )
    kinds = code.add_subparsers(dest="what", metavar="WHAT", required=True)
    for what, told in (
        ("fix", "find and mend a bug"),
        ("feature", "add something"),
        ("tests", "write tests that are missing"),
        ("docs", "write or mend documentation"),
        ("refactor", "make code better, and change nothing of what it does"),
        ("review", "say what is wrong; changes nothing"),
    ):
        _add_order(kinds.add_parser(what, help=told, description=f"Have an agent {told}."))
    diff = commands.add_parser("diff", help="what a coding job changed; the last one if not said")
    diff.add_argument("id", nargs="?", metavar="JOB", help="4 characters, as in lists")
    diff.add_argument("--stat", action="store_true", help="only which files, and how much")
    _json(diff)
    agents = commands.add_parser("agents", help="coding agents here, and how to get others")
    agents.add_argument("--fresh", action="store_true", help="ask each again")
    _json(agents)


def _add_order(code: argparse.ArgumentParser) -> None:
    """What a work order may say."""
    code.add_argument(
        "repository", nargs="?", metavar="REPO", help="a folder or a URL; this folder's if not said"
    )
    code.add_argument("-m", "--message", metavar="WORDS", help="what is to be done; - reads it")
    code.add_argument("--base", metavar="BRANCH", help="where to start from")
    code.add_argument("--test", metavar="COMMAND", help="how the tests are run; found if not said")
    code.add_argument(
        "--level",
        choices=("autonomous", "supervised", "human_required"),
        help="what it may do unasked; your policy caps it",
    )
    code.add_argument("--agent", metavar="NAME", help="builtin, claude, codex, gemini, …")
    code.add_argument("--model", metavar="MODEL", help="as in openai:gpt-5-mini")
    code.add_argument("--minutes", type=float, metavar="N", help="of work at most")
    code.add_argument("--cost-max", type=float, metavar="USD", help="for models at most")
    code.add_argument("--tokens-max", type=int, metavar="N", help="in and out at most")
    then = code.add_mutually_exclusive_group()
    then.add_argument("--keep", action="store_true", help="leave the branch on this machine")
    then.add_argument("--push", action="store_true", help="push the branch")
    then.add_argument("--pr", action="store_true", help="push, and open a pull request")
    _json(code)


def _add_reading(commands: Commands) -> None:
    """What can be read, whether or not the worker runs."""
    jobs = commands.add_parser("jobs", help="jobs on all your machines, the newest first")
    jobs.add_argument("--state", choices=("asking", "running", "waiting", "failed", "done"))
    jobs.add_argument("--search", metavar="WORDS", help="in titles, requests and logs")
    jobs.add_argument("--kind")
    jobs.add_argument("--on", metavar="MACHINE")
    jobs.add_argument("--parts", metavar="ID", help="the parts of a job, which no list shows")
    jobs.add_argument("-n", dest="count", type=_count, default=20, metavar="COUNT")
    _json(jobs)
    job = commands.add_parser("job", help="all about one job")
    job.add_argument("id", metavar="ID")
    _json(job)
    logs = commands.add_parser("logs", help="the end of a job's log, or of all logs")
    logs.add_argument("id", nargs="?", metavar="ID")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    logs.add_argument("-n", dest="count", type=_count, default=50, metavar="COUNT")
    logs.add_argument("--search", metavar="WORDS", help="only lines with these words")
    _json(logs)
    models = commands.add_parser("models", help="models on this machine: list, show, rename, …")
    models.add_argument(
        "do", nargs="?", default="list", choices=("list", "show", "rename", "delete", "undo")
    )
    models.add_argument("model", nargs="?", metavar="MODEL", help="its id, name or number")
    models.add_argument("name", nargs="?", metavar="NAME", help="with rename: the new one")
    _json(models)
    keys = commands.add_parser("keys", help="keys for models and for git: list, set, remove")
    keys.add_argument("do", nargs="?", default="list", choices=("list", "set", "remove"))
    keys.add_argument(
        "name", nargs="?", metavar="NAME", help="OPENAI_API_KEY, openai, or github.com"
    )
    _json(keys)
    _json(commands.add_parser("questions", help="what jobs wait for"))
    _json(commands.add_parser("status", help="how the worker is, and when it tries next"))
    _json(commands.add_parser("policy", help="what may run here, and where that is written"))


def _add_machine(commands: Commands) -> None:
    """This machine and its worker."""
    pause = commands.add_parser("pause", help="start nothing new here for a while")
    pause.add_argument("until", nargs="?", default="", help="30m, 2h, 18:30, tomorrow")
    commands.add_parser("resume", help="take jobs again")
    autostart = commands.add_parser("autostart", help="start the worker when you log in")
    autostart.add_argument("switch", choices=("on", "off", "status"))
    show = commands.add_parser("open", help="show a window of the tray app that runs")
    show.add_argument("window", choices=("chat", "jobs", "models", "settings", "pairing"))
    show.add_argument("item", nargs="?", help="a job's or task's id, a model, a section")
    unpair = commands.add_parser("unpair", help="leave the hub; models and files stay")
    unpair.add_argument("--yes", action="store_true", help="do not ask")
    setup = commands.add_parser(
        "setup",
        help="add tools to this program: training (ml), language models (llm), the web (web)",
    )
    setup.add_argument("what", choices=("ml", "llm", "web"))
    setup.add_argument("--dry-run", action="store_true", help="print the command, run nothing")
    commands.add_parser("quit", help="end the tray app, as before an update")
    commands.add_parser("unlock", help="let chats start work again, after /lock")
    doctor = commands.add_parser("doctor", help="check store, policy, folders, tools and the hub")
    doctor.add_argument("--resync", action="store_true", help="read everything anew from the hub")
    doctor.add_argument("--yes", action="store_true", help="do not ask")
    _json(doctor)
    export = commands.add_parser("export", help="write all this computer knows, for any program")
    export.add_argument("file", type=Path, metavar="FILE|FOLDER")
    diagnostics = commands.add_parser("diagnostics", help="write a file for reports, redacted")
    diagnostics.add_argument("file", nargs="?", type=Path, metavar="FILE")
    samples = commands.add_parser("samples", help="copy the sample tables into a folder")
    samples.add_argument("folder", type=Path)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="for programs")


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= COUNT_MAX:
        raise argparse.ArgumentTypeError(f"from 1 to {COUNT_MAX}")
    return count


if __name__ == "__main__":
    sys.exit(main())
