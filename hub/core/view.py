"""What a person is shown, before any frontend lays it out.

Wording turns events into Views once for all frontends; `degraded` fits a View to what one
frontend can do (buttons become numbered lines, long text is cut with a note).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.ids import ConversationId, JobId, PersonId, QuestionId, TaskId, short


class Tone(StrEnum):
    """State is always icon + word + colour; these are the words."""

    PLAIN = "plain"
    WAITING = "waiting"
    RUNNING = "running"
    ASKING = "asking"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap; exactly one of `says`, `url` and `copies` is set."""

    label: str
    says: str = ""
    """What tapping it says, as a command: "/answer 018f… Churn"."""
    url: str = ""
    """A web page it opens."""
    copies: str = ""
    """A text it puts on the clipboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    stage: str
    done: float
    total: float
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFile:
    """A file somebody asked for; the hub keeps it until it was sent."""

    name: str
    """Without any folder; as its person wrote it."""
    sha256: str
    """Of the content, hex."""
    size_bytes: int
    media_type: str
    """"image/png" is shown as a picture where that can be, all else is a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A text that is no prose and goes along with a message: the diff of a change."""

    name: str
    """What it is called as a file."""
    text: str
    language: str = ""
    """What it is written in, for those who colour it: "diff"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One message to a person."""

    text: str
    """The message; plain text, lines separated by newlines."""
    tone: Tone = Tone.PLAIN
    buttons: tuple[Button, ...] = ()
    progress: Progress | None = None
    subject: str = ""
    """Views of one subject (a job, a question) replace each other where edits are possible."""
    final: bool = False
    """The last word on its subject; sent as a message of its own, so that the phone pings."""
    settles: str = ""
    """Of a last word: what the earlier message on its subject reads from now on; it is no longer
    the place to look at. Empty leaves that message as it is."""
    job_id: JobId | None = None
    task_id: TaskId | None = None
    """The task it is about, for frontends where each has a thread of its own."""
    question_id: QuestionId | None = None
    files: tuple[ViewFile, ...] = ()
    """Sent along; only what a person asked for."""
    qr: str = ""
    """A text to be shown as a QR code, too, where pictures can be shown."""
    sheet: Sheet | None = None
    """Shown as a block below the text where it fits, else sent along as a file."""
    overflow: str = ""
    """The whole text, where `degraded` had to cut it: to be sent along as a text file."""
    is_quiet: bool = False
    """Worth knowing, not worth a sound."""
    key: str = ""
    """Names this message: a frontend that can tell shows the same key once, however often it is
    sent. Empty for immediate answers, which are sent once."""

    @property
    def is_status(self) -> bool:
        """Whether it is the message on a job that is edited in place until the last word."""
        return self.subject.startswith("job:") and not self.final


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A token bucket: `burst` messages at once, `per_second` in the long run."""

    burst: int
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendCapabilities:
    """What a frontend can do; fixed for its lifetime."""

    buttons_max: int = 0
    """0: no buttons, choices become numbered lines."""
    edit: bool = False
    files: bool = False
    """Files and pictures can be sent; elsewhere a file becomes a line that says how to get it."""
    file_links: bool = False
    """Files are not sent: whoever reads fetches them from the hub while it keeps them."""
    links: bool = False
    """Buttons may open a page or copy a text; elsewhere such buttons become lines."""
    text_chars_max: int = 1600
    min_edit_interval_seconds: float = 1.0
    chat_pace: Pace | None = None
    """What one conversation bears; edits count as messages. None: anything."""
    group_pace: Pace | None = None
    """What a conversation of several people bears."""
    total_pace: Pace | None = None
    """What all conversations together bear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who spoke, as far as the frontend can tell."""

    frontend: str
    external_id: str
    """The platform's own id of the account."""
    name: str
    person_id: PersonId | None = None
    """Set by the hub once the identity is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Something a person said, anywhere."""

    conversation: ConversationId
    sender: Sender
    text: str
    dedupe: str
    """The platform's id of the update: a second arrival is ignored."""
    in_group: bool = False
    """Said among several people; the conversation's id has "group" as its second part."""
    replies_to: str = ""
    """The MessageRef of the message it is a reply to, where the platform tells."""
    task_id: TaskId | None = None
    """The person's task that it is about, where each task has a thread of its own."""
    has_file: bool = False
    """A file or picture came with it, which the frontend left where it is."""
    answer_waits: bool = False
    """The immediate answer goes through the outbox, in one transaction with the note that this
    was heard, and the inbox returns nothing: for frontends whose sending can fail. A store that
    cannot be written is then raised, and what was said should be handed in again."""


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def degraded(view: View, capabilities: FrontendCapabilities) -> View:
    """Fit a view to a frontend.

    Where files cannot be sent, lines say how to get them. Where there are too few buttons, the
    choices of a question become numbered lines, since a number answers it; any other button
    becomes the command it says, or the address it opens. What a button would copy stands in the
    text anyway. A text that is too long is cut; where files can be sent, all of it comes as one.
    A sheet is left to frontends that send files; elsewhere it ends the text, as far as it fits.
    """
    text, buttons, files = view.text, view.buttons, view.files
    if files and not (capabilities.files or capabilities.file_links):
        text, files = "\n".join([text, *(_way_to(file) for file in files)]), ()
    if not capabilities.links:
        untold = [button for button in buttons if button.url and button.url not in text]
        text = "\n".join([text, *(f"{button.label}: {button.url}" for button in untold)])
        buttons = tuple(button for button in buttons if button.says)
    if len(buttons) > capabilities.buttons_max:
        answers = [b for b in buttons if view.question_id is not None and is_answer(b)]
        lines = [f"{number}. {button.label}" for number, button in enumerate(answers, start=1)]
        others = [b for b in buttons if b not in answers and not b.copies]
        lines += [f"{b.label}: {b.url or typed(b.says)}" for b in others]
        text = "\n".join([text, *lines])
        buttons = ()
    sheet = view.sheet
    if sheet is not None and not capabilities.files:
        text, sheet = _with_sheet(text, sheet, capabilities.text_chars_max), None
    overflow = ""
    if len(text) > capabilities.text_chars_max:
        # A line that is edited in place is no place for files.
        overflow = text if capabilities.files and not view.is_status else ""
        text = text[: capabilities.text_chars_max - 2].rstrip() + " …"
    return replace(view, text=text, buttons=buttons, files=files, overflow=overflow, sheet=sheet)


def is_answer(button: Button) -> bool:
    """Whether a button of a question answers it; another shows more about it."""
    return button.says.startswith("/answer ")


def _with_sheet(text: str, sheet: Sheet, chars_max: int) -> str:
    """Add as many lines of a sheet as fit, and say how many do not."""
    lines = sheet.text.rstrip("\n").split("\n")
    left = f"\n… and {len(lines):,} more lines"
    room = chars_max - len(text) - len(left) - 2
    fitting = 0
    for line in lines:
        room -= len(line) + 1
        if room < 0 and fitting < len(lines):
            break
        fitting += 1
    told = "\n".join([text, "", *lines[:fitting]]) if fitting else text
    more = len(lines) - fitting
    return f"{told}\n… and {more:,} more line{'' if more == 1 else 's'}" if more else told


def _way_to(file: ViewFile) -> str:
    """How to get a file: "churn.csv · 54 kB: deskhand-hub get ab12cd34"."""
    return f"{file.name} · {size(file.size_bytes)}: deskhand-hub get {file.sha256[:8]}"


def size(size_bytes: int) -> str:
    """Say a size as people do: "812 bytes", "2.1 MB"."""
    if size_bytes < 1000:
        return f"{size_bytes} byte{'' if size_bytes == 1 else 's'}"
    amount, unit = size_bytes / 1000, "kB"
    if amount >= 999.5:
        amount, unit = amount / 1000, "MB"
    if amount >= 999.5:
        amount, unit = amount / 1000, "GB"
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"


def typed(says: str) -> str:
    """A command as a person would type it, ids in their short form."""
    return _ID.sub(lambda found: short(found[0]), says)
