"""What each command of the worker does. Answers go to standard output, logs to standard error."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

from desktop.system.paths import find_paths
from shared.lean import import_structlog, uncollected

AT: Mapping[str, str] = {
    "agents": "desktop.commands.agents",
    "answer": "desktop.commands.questions",
    "autostart": "desktop.commands.autostart",
    "cancel": "desktop.commands.questions",
    "code": "desktop.commands.code",
    "diagnostics": "desktop.commands.app",
    "diff": "desktop.commands.diff",
    "doctor": "desktop.commands.small",
    "export": "desktop.commands.export",
    "job": "desktop.commands.jobs",
    "jobs": "desktop.commands.jobs",
    "keys": "desktop.commands.keys",
    "logs": "desktop.commands.logs",
    "models": "desktop.commands.models",
    "open": "desktop.commands.app",
    "pair": "desktop.commands.pairing",
    "pause": "desktop.commands.status",
    "policy": "desktop.commands.status",
    "probe": "desktop.commands.probe",
    "purge": "desktop.commands.purge",
    "questions": "desktop.commands.questions",
    "quit": "desktop.commands.app",
    "resume": "desktop.commands.status",
    "retry": "desktop.commands.questions",
    "runs": "desktop.commands.runs",
    "samples": "desktop.commands.small",
    "schedules": "desktop.commands.schedules",
    "setup": "desktop.commands.setup",
    "status": "desktop.commands.status",
    "task": "desktop.commands.task",
    "transcript": "desktop.commands.runs",
    "unlock": "desktop.commands.small",
    "unpair": "desktop.commands.app",
}
"""The module of each command; its `run` takes the profile's paths and the parsed options."""


def run(options: argparse.Namespace) -> int:
    """Carry out a parsed command line; return the exit code.

    Raises:
        AppError: what went wrong, for the person at the terminal.
    """
    paths = find_paths(options.home)
    if options.command is not None:
        code: int = importlib.import_module(AT[options.command]).run(paths, options)
        return code
    if options.headless:
        with uncollected():
            import_structlog()
            from desktop.commands.headless import headless

        return headless(
            paths, json_logs=options.json_logs, debug=options.debug, metrics=options.metrics
        )
    from desktop.commands.tray import tray

    return tray(paths, options.link, is_background=options.background)
