"""What of ours runs in a box, by its word.

For the self-contained program: there is no Python beside it that could be given a file to run.
"""

from __future__ import annotations

from collections.abc import Sequence


def run_inside(words: Sequence[str]) -> int | None:  # noqa: PLR0911 - a table of words
    """Run what the words name, to its end; return its status, None when they name nothing here."""
    match list(words):
        case ["relay", *rest]:
            from desktop.jobs.code.relay import main as relay

            return relay(rest)
        case ["landlock", *rest]:
            from desktop.jobs.code.landlock_box.start import main as landlock

            return landlock(rest)
        case ["ask-human", *rest]:
            from desktop.jobs.code.ask_human import main as ask_human

            return ask_human(rest)
        case ["builtin", *rest]:
            from desktop.jobs.code.builtin.__main__ import main as builtin

            return builtin(rest)
        case ["read-page", *rest]:
            from desktop.jobs.web.reader.__main__ import main as read_page

            return read_page(rest)
        case ["document", *rest]:
            from desktop.jobs.documents.conversion_child import main as document

            return document(rest)
        case ["analysis", *rest]:
            from desktop.jobs.analysis_box.__main__ import main as analysis

            return analysis(rest)
        case ["paint", *rest]:
            from desktop.jobs.analysis.painting_child import main as paint

            return paint(rest)
        case _:
            return None
