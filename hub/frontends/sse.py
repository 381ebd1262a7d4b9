"""Server-sent events (WHATWG HTML, section 9.2) out of the hub's log, for the API and the pages.

A stream keeps its place, a hub_seq, and no events: it reads on once its reader has taken what it
was sent. So a slow reader costs no memory, and one that comes back with Last-Event-ID misses
nothing. Progress is no event: the newest of each job is kept until it can be sent, without an id.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.core.fact import Fact
from hub.services import Services
from hub.services.feed import TASK_PURGED, Feed
from shared.errors import AppError, BadInput, LimitReached
from shared.ids import COUNT_MAX, JobId, PersonId, WorkerId
from shared.messages import Progress

BEAT_SECONDS = 15.0
"""A comment at least so often: proxies cut what is silent, and readers notice a dead line."""
SEND_SECONDS = 30.0
"""How long a reader may leave the line full."""
CHECK_SECONDS = 1.0
"""How often at most it is looked whether a reader may still read."""
RETRY_MILLISECONDS = 2000
"""What a browser waits before it comes back."""
FACTS_AT_ONCE = 200
PROGRESS_JOBS_MAX = 1000
NEWS_SECONDS = 60.0
"""How long what rang beside the log is told to streams that begin."""
STREAMS_PER_PERSON_MAX = 64


@dataclass(frozen=True, slots=True)
class Note:
    """One message of a stream."""

    event: str
    data: str
    """JSON on one line."""

    def encode(self, hub_seq: int | None = None) -> bytes:
        assert "\n" not in self.data
        assert "\r" not in self.data
        place = "" if hub_seq is None else f"id: {hub_seq}\n"
        return f"{place}event: {self.event}\ndata: {self.data}\n\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader wants of the log."""

    reader: PersonId
    sees: PersonId | None
    """Whose facts; everybody's when None."""
    after: int
    tell: Callable[[Fact], Note | None]
    """What is said of a fact; None for nothing."""
    tell_progress: Callable[[Progress], Note | None] | None = None
    presence: Note | None = None
    """What is said when a worker comes, goes or is paused, which is no event; None for nothing."""
    tell_news: Callable[[list[str]], Note] | None = None
    """What is said of topics that rang beside the log."""
    check: Callable[[], Awaitable[object]] | None = None
    """Raises an AppError once the reader may read no more."""
    line: Callable[[], AbstractContextManager[asyncio.Event]] | None = None
    """Holds an event for as long as the stream is open: set, the stream ends at once."""


class OnceWorded:
    """Words each of the newest facts once: many readers are told the same."""

    def __init__(self, word: Callable[[Fact], Note], *, kept_max: int = FACTS_AT_ONCE) -> None:
        self._word, self._kept_max = word, kept_max
        self._kept: dict[int, tuple[Fact, Note]] = {}

    def __call__(self, fact: Fact) -> Note:
        kept = self._kept.get(fact.hub_seq)
        # Another fact of this number was read anew, perhaps after something was forgotten.
        if kept is not None and kept[0] is fact:
            return kept[1]
        if len(self._kept) >= self._kept_max or fact.type == TASK_PURGED:
            self._kept.clear()
        note = self._word(fact)
        self._kept[fact.hub_seq] = (fact, note)
        return note


class Streams:
    """All streams that are open; a hub that stops ends them."""

    def __init__(self, services: Services) -> None:
        self.feed: Feed = services.feed
        self.whose = services.views.person_of_worker
        self._open: Counter[PersonId] = Counter()
        self._writers: set[EventStream] = set()
        self._stopping = asyncio.Event()
        self._once: dict[Callable[[Fact], Note], OnceWorded] = {}
        self._news: dict[PersonId, tuple[float, frozenset[str]]] = {}
        """What rang last beside the log, and when."""
        self.feed.progress_listeners.append(self._note_progress)
        services.registry.presence_listeners.append(self._note_presence)
        self.feed.news_listeners.append(self._note_news)

    def once(self, word: Callable[[Fact], Note]) -> OnceWorded:
        """Have all streams share what a function makes of facts."""
        return self._once.setdefault(word, OnceWorded(word))

    def open(self, reading: Reading) -> EventStream:
        """Answer a request with a stream.

        Raises:
            LimitReached: `too_many_streams`.
        """
        if self._open[reading.reader] >= STREAMS_PER_PERSON_MAX:
            raise LimitReached(
                "too_many_streams",
                f"{STREAMS_PER_PERSON_MAX} streams of yours are open already.",
                "Close some pages or programs.",
                retry_after_seconds=BEAT_SECONDS,
            )
        stream = EventStream(self, reading)
        for person_id, (at, topics) in self._news.items():
            is_recent = self._now() - at < NEWS_SECONDS
            if is_recent and reading.sees in (None, person_id):
                # It may have rung after the page was written and before its stream began.
                for topic in topics:
                    stream.note_news(topic)
        return stream

    def close(self) -> None:
        """End all streams; their readers come back to the hub's next life."""
        self._stopping.set()

    @property
    def open_count(self) -> int:
        return len(self._writers)

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    async def stopping(self) -> None:
        await self._stopping.wait()

    async def wait(self, after: int, person_id: PersonId | None) -> None:
        """Return once the log has grown beyond a place, or the hub stops."""
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(self.feed.wait(after, person_id)),
                tasks.create_task(self.stopping()),
            ]
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                part.cancel()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def enter(self, stream: EventStream) -> None:
        self._open[stream.reading.reader] += 1
        self._writers.add(stream)
        if stream.reading.tell_progress is not None:
            # What was told while its page was on the way would be missed until it is told again.
            for job_id, worker_id, progress in self.feed.headways():
                if stream.reading.sees in (None, self.whose(worker_id)):
                    stream.note_progress(job_id, progress)

    def leave(self, stream: EventStream) -> None:
        self._open[stream.reading.reader] -= 1
        self._open += Counter()  # forgets those at zero
        self._writers.discard(stream)

    def _note_progress(self, job_id: JobId, worker_id: WorkerId, progress: Progress) -> None:
        wanting = [s for s in self._writers if s.reading.tell_progress is not None]
        if wanting:
            person_id = self.whose(worker_id)
            for stream in wanting:
                if stream.reading.sees in (None, person_id):
                    stream.note_progress(job_id, progress)

    def _note_presence(self, person_id: PersonId) -> None:
        for stream in self._writers:
            if stream.reading.presence is not None and stream.reading.sees in (None, person_id):
                stream.note_presence()

    def _note_news(self, person_id: PersonId, topic: str) -> None:
        now = self._now()
        at, topics = self._news.get(person_id, (now, frozenset()))
        kept = topics if now - at < NEWS_SECONDS else frozenset[str]()
        self._news[person_id] = (now, kept | {topic})
        for stream in self._writers:
            if stream.reading.sees in (None, person_id):
                stream.note_news(topic)


class EventStream(StreamingResponse):
    """One stream, from its first byte to its last."""

    def __init__(self, streams: Streams, reading: Reading) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__((), media_type="text/event-stream", headers=headers)
        self.reading = reading
        self._streams = streams
        self._place = reading.after
        self._said = reading.after
        """The last place that its reader knows."""
        self._bell = asyncio.Event()
        self._progress: dict[JobId, Progress] = {}
        self._has_presence = False
        self._news: set[str] = set()
        self._checked_at = 0.0

    def note_news(self, topic: str) -> None:
        if self.reading.tell_news is not None:
            self._news.add(topic)
            self._bell.set()

    def note_progress(self, job_id: JobId, progress: Progress) -> None:
        if job_id in self._progress or len(self._progress) < PROGRESS_JOBS_MAX:
            self._progress[job_id] = progress
            self._bell.set()

    def note_presence(self) -> None:
        self._has_presence = True
        self._bell.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams.enter(self)
        try:
            await self._stream(receive, send)
        finally:
            self._streams.leave(self)

    async def _stream(self, receive: Receive, send: Send) -> None:
        is_cut = False
        line = nullcontext(asyncio.Event()) if self.reading.line is None else self.reading.line()
        try:
            with line as ended:
                await self._until_over(receive, send, ended)
        except* (TimeoutError, OSError):
            is_cut = True
        except* AppError:
            pass
        if not is_cut:
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_over(self, receive: Receive, send: Send, ended: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(self._write(send)),
                tasks.create_task(self._listen()),
                tasks.create_task(_gone(receive)),
                tasks.create_task(_rung(ended)),
                tasks.create_task(self._streams.stopping()),
            ]
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                part.cancel()

    async def _listen(self) -> None:
        """Ring whenever there is something new for this reader."""
        heard = self._place
        while True:
            await self._streams.feed.wait(heard, self.reading.sees)
            heard = self._streams.feed.position()
            self._bell.set()

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _put(send, f"retry: {RETRY_MILLISECONDS}\n\n".encode() + self._reset())
        while True:
            self._bell.clear()
            upto = self._streams.feed.position()
            facts = await self._streams.feed.after(self._place, FACTS_AT_ONCE, self.reading.sees)
            chunk = self._worded(facts) + self._progressed() + self._present() + self._rang()
            if len(facts) < FACTS_AT_ONCE:
                # Whatever concerns others was passed over: a reader that comes back need not.
                self._place = max(self._place, upto)
            if chunk:
                await self._check()
                await _put(send, chunk)
            elif not await self._rung():
                await self._check()
                await _put(send, self._beat())

    def _reset(self) -> bytes:
        """Say so when the place is none of this log's, which a restored hub cannot know."""
        position = self._streams.feed.position()
        if self._place <= position:
            return b""
        self._place = self._said = position
        return Note("reset", "{}").encode(position)

    def _worded(self, facts: list[Fact]) -> bytes:
        told: list[bytes] = []
        for fact in facts:
            self._place = fact.hub_seq
            if (note := self.reading.tell(fact)) is not None:
                told.append(note.encode(fact.hub_seq))
                self._said = fact.hub_seq
        return b"".join(told)

    def _progressed(self) -> bytes:
        word = self.reading.tell_progress
        if word is None:
            return b""
        waiting, self._progress = self._progress, {}
        notes = (word(progress) for progress in waiting.values())
        return b"".join(note.encode() for note in notes if note is not None)

    def _present(self) -> bytes:
        has_changed, self._has_presence = self._has_presence, False
        note = self.reading.presence
        return note.encode() if has_changed and note is not None else b""

    def _rang(self) -> bytes:
        if self.reading.tell_news is None or not self._news:
            return b""
        topics, self._news = sorted(self._news), set()
        return self.reading.tell_news(topics).encode()

    async def _rung(self) -> bool:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return False
        return True

    def _beat(self) -> bytes:
        """A comment; with the place, when that has moved on unsaid: an id without data is kept."""
        if self._said == self._place:
            return b": here\n\n"
        self._said = self._place
        return f": here\nid: {self._place}\n\n".encode()

    async def _check(self) -> None:
        now = asyncio.get_running_loop().time()
        if self.reading.check is not None and now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            await self.reading.check()


def place_of(last_event_id: str, after: int | None, position: int) -> int:
    """Where a stream begins: after what its reader had last; at the log's end for a new one.

    Raises:
        BadInput: `place_invalid`.
    """
    if last_event_id:
        is_number = last_event_id.isascii() and last_event_id.isdigit()
        if not is_number or len(last_event_id) > len(str(COUNT_MAX)):
            raise BadInput(
                "place_invalid",
                "Last-Event-ID is no place in the hub's log.",
                "Send the last id of the stream, or none.",
            )
        return min(int(last_event_id), COUNT_MAX)
    return position if after is None else after


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _rung(bell: asyncio.Event) -> None:
    await bell.wait()


async def _put(send: Send, chunk: bytes) -> None:
    """Send; it waits while the reader leaves the line full.

    Raises:
        TimeoutError: for longer than SEND_SECONDS.
    """
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
