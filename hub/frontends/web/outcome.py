"""What a job gave back, as a page shows it: sentences, figures, files, and what goes on then."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

from hub.core.job import JobCard
from hub.core.stored_file import FileState, StoredFile
from hub.frontends.results import result_view
from shared.jobs import JobState
from shared.kinds import JsonObject, Output
from shared.plain_text import plain, plain_line

PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
"""What a browser shows by itself and can do nothing."""
FIGURE_CHARS_MAX = 200
FIGURES_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A file that a job handed over."""

    name: str
    sha256: str
    size_bytes: int
    is_here: bool
    is_coming: bool
    is_picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """Something that can be asked for next."""

    number: int
    label: str
    says: str
    """The command, as a button in a chat says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    headline: str
    lines: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    files: tuple[Handed, ...]
    stayed: tuple[str, ...]
    """Names of files that are on the computer alone."""
    further: tuple[Further, ...]
    links: tuple[tuple[str, str], ...] = ()
    """Pages elsewhere: label and address."""


def outcome_of(card: JobCard, sent: tuple[StoredFile, ...]) -> Outcome | None:
    """Tell what came of a job; None while nothing has."""
    if card.state is not JobState.SUCCEEDED or card.result is None:
        return None
    view = result_view(card.kind, card.result, job_id=card.job_id, label=card.title)
    headline, *lines = plain(view.text).splitlines() or [""]
    names = card.result.get("files")
    handed = {file.ref.name for file in sent}
    return Outcome(
        headline=headline,
        lines=tuple(lines),
        figures=tuple(_figures(card.result))[:FIGURES_MAX],
        files=tuple(_handed(file) for file in sent),
        stayed=tuple(
            plain_line(str(name))
            for name in (names if isinstance(names, list) else [])
            if name not in handed
        ),
        further=tuple(
            Further(number=number, label=button.label, says=button.says)
            for number, button in enumerate(view.buttons)
            # What a page shows better than a chat has its own.
            if button.says and not button.says.startswith("/diff ")
        ),
        links=tuple((button.label, button.url) for button in view.buttons if button.url),
    )


def _handed(file: StoredFile) -> Handed:
    return Handed(
        name=plain_line(file.ref.name),
        sha256=file.ref.sha256,
        size_bytes=file.ref.size_bytes,
        is_here=file.state is FileState.HERE,
        is_coming=file.state is FileState.ANNOUNCED,
        is_picture=file.ref.media_type in PICTURES,
    )


def _figures(result: JsonObject) -> list[tuple[str, str]]:
    """The facts of a result beside its sentences, flat; lists of objects are left to the table."""
    told = []
    for name, value in result.items():
        if name in Output.model_fields:
            continue
        if isinstance(value, dict):
            told += [(_label(key), _figure(inner)) for key, inner in value.items()]
        else:
            told.append((_label(name), _figure(value)))
    return [(label, text) for label, text in told if text]


def _figure(value: JsonValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case int():
            return f"{value:,}"
        case str():
            return plain_line(value)[:FIGURE_CHARS_MAX]
        case list() if all(isinstance(item, str | int | float) for item in value):
            return ", ".join(_figure(item) for item in value)[:FIGURE_CHARS_MAX]
        case _:
            return ""


def _label(name: str) -> str:
    return plain_line(name.replace("_", " ")).capitalize()[:60]
