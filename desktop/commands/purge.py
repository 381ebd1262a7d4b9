"""`deskhand purge`: everything that a task and its jobs told is forgotten, on all machines."""

from __future__ import annotations

import argparse

from desktop.commands.deeds import request
from desktop.commands.finding import job_named, reading
from desktop.commands.printing import confirm, say
from desktop.commands.worker import EXIT_OK
from desktop.store import purging, threads
from desktop.system.paths import Paths
from shared.events import PurgeAsked


def run(paths: Paths, options: argparse.Namespace) -> int:
    with reading(paths) as connection:
        task_id = threads.task_of(connection, options.id)
        if task_id is None:
            task_id = job_named(connection, options.id).row.task_id
        purging.check(connection, task_id)
    if not options.yes:
        confirm(
            "What was asked, answered and logged, and the result, are deleted on this computer, "
            "on the hub and on your other computers. Nothing brings them back. Files and models "
            "that its jobs wrote are not deleted.",
            "Forget it?",
            "purge_not_confirmed",
        )
    request(paths, "purge", {"task_id": task_id}, PurgeAsked(task_id=task_id))
    say("Forgotten here; the hub and the other computers follow when they are reached.")
    return EXIT_OK
