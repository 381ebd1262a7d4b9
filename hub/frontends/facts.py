"""What the words about an event need besides the event itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from hub.core.placement import Waiting
from hub.frontends.figures import moment
from shared.errors import ErrorBody
from shared.ids import JobId, short
from shared.questions import Asking

DOING = {
    "ml.train": "training",
    "ml.predict": "predicting",
    "ml.models": "looking for models",
    "ml.model": "looking at the model",
    "data.describe": "reading the table",
    "data.analyze": "analyzing the table",
    "files.send": "fetching the file",
    "files.head": "reading the table",
    "files.list": "looking for files",
    "files.read": "reading the file",
    "files.write": "writing the document",
    "files.edit": "changing the file",
    "files.undo": "taking the change back",
    "llm.run": "probing",
    "llm.probe": "probing",
    "llm.stats": "working out the statistics",
    "llm.ask": "asking the model",
    "llm.health": "looking at the models",
    "llm.runs": "looking for runs",
    "llm.transcript": "looking for the transcript",
    "plan": "working",
    "web.research": "researching",
    "web.read": "reading pages",
    "web.search": "searching the web",
    "web.session": "browsing",
    "code.feature": "building the feature",
    "code.bugfix": "fixing the bug",
    "code.test": "writing tests",
    "code.docs": "writing documentation",
    "code.refactor": "refactoring",
    "code.review": "reviewing",
    "code.diff": "fetching the change",
    "code.agents": "looking for agents",
}
"""What a job of a kind is doing, as it stands behind "while"."""

DID = {
    "ml.train": "trained",
    "ml.predict": "predicted",
    "ml.models": "looked for models",
    "ml.model": "looked at the model",
    "data.describe": "read the table",
    "data.analyze": "analyzed the table",
    "files.send": "fetched the file",
    "files.head": "read the table",
    "files.list": "looked for files",
    "files.read": "read the file",
    "files.write": "wrote the document",
    "files.edit": "changed the file",
    "files.undo": "took the change back",
    "llm.run": "probed",
    "llm.probe": "probed",
    "llm.stats": "worked out the statistics",
    "llm.ask": "asked the model",
    "llm.health": "looked at the models",
    "llm.runs": "looked for runs",
    "llm.transcript": "looked for the transcript",
    "plan": "worked",
    "web.research": "researched",
    "web.read": "read pages",
    "web.search": "searched the web",
    "web.session": "browsed",
    "code.feature": "built the feature",
    "code.bugfix": "fixed the bug",
    "code.test": "wrote tests",
    "code.docs": "wrote documentation",
    "code.refactor": "refactored",
    "code.review": "reviewed",
    "code.diff": "fetched the change",
    "code.agents": "looked for agents",
}
"""What a job of a kind has done, when its end is told later than it was."""

VERBS = {
    "ml.train": "train",
    "ml.predict": "predict",
    "data.describe": "describe",
    "data.analyze": "analyze tables",
    "files.read": "read files",
    "files.write": "write documents",
    "llm.run": "probe models",
    "llm.ask": "ask models",
    "plan": "do tasks in plain words",
    "web.research": "research the web",
    "code.feature": "change code",
    "code.review": "review code",
}
"""What a kind lets a person do, in the words of a machine's card."""
PLACES = {
    "console": "the console",
    "telegram": "Telegram",
    "discord": "Discord",
    "sms": "SMS",
    "matrix": "Matrix",
    "web": "the web",
    "api": "the API",
}
"""Where people speak, as they call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """The true times of a job that ended while its computer was away."""

    began_at: datetime | None
    """None when the hub was never told."""
    ended_at: datetime
    is_kept: bool
    """It was asked for at that computer, and ran there without the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the words about an event need besides the event."""

    now: datetime
    job_id: JobId | None = None
    kind: str = ""
    title: str = ""
    machine: str = ""
    """The name of the worker that has the job, or had it last; empty when none did."""
    waiting: Waiting | None = None
    """Why it does not run; None when it does."""
    asking: Asking | None = None
    """The question an answer belongs to."""
    questions_open: int = 1
    """With more than one, each says which job it belongs to."""
    is_settled: bool = False
    """The question is answered, or is not asked any more."""
    has_ended: bool = False
    """The job is over, whatever event of it is told."""
    late: Late | None = None
    """When it really was, of an end that is told long after it was."""
    failure: ErrorBody | None = None
    """Why the last attempt failed."""
    reader: str = ""
    """The name of the person who reads, who is "you"."""
    zone: tzinfo | None = None
    step_of: str = ""
    """Of a job that is a part of another one: which part of what, "Step 2 of buy a laptop"."""

    @property
    def doing(self) -> str:
        return DOING.get(self.kind, "working")

    @property
    def did(self) -> str:
        return DID.get(self.kind, "worked")

    @property
    def when(self) -> str:
        """The true times of what is told late: " while offline, 12:03 to 12:07"; else nothing."""
        if self.late is None:
            return ""
        offline = " while offline" if self.late.is_kept else ""
        ended = self.clock(self.late.ended_at)
        began = self.clock(self.late.began_at) if self.late.began_at else ended
        return f"{offline}, {ended}" if began == ended else f"{offline}, {began} to {ended}"

    @property
    def where(self) -> str:
        return f" on {self.machine}" if self.machine else ""

    @property
    def label(self) -> str:
        """The job as people name it: "train sales.csv #K7Q2"."""
        name = self.title or self.kind or "job"
        return f"{name} #{short(self.job_id)}" if self.job_id else name

    @property
    def name(self) -> str:
        return self.machine or "the computer"

    def whose(self, by: str) -> str:
        """Who did it, as the reader says it: "anna on Telegram" -> "you on Telegram"."""
        name, _, place = by.partition(" on ")
        who = "you" if name == self.reader else name
        return f"{who} on {place}" if place else who

    def clock(self, then: datetime) -> str:
        return moment(then, self.now, self.zone)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
