"""A hub as a node sees it, on a real port: strict about every call, and away when it is told to.

What a real hub makes of all this is seen in `tests/flows/test_fleet*.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import BaseModel

from shared.api.fleet import (
    AttemptStarted,
    FleetBeat,
    FleetEvent,
    FleetEventBody,
    FleetHeard,
    FleetStop,
    StartAttempt,
)
from shared.api.problem import MEDIA_TYPE
from shared.api.queue import AnswerShown, NewProgress, Told
from shared.fleet import Ticket
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from shared.questions import Answer

KEY = "dhf_" + "k" * 43


class Refusal(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class FakeHub:
    """What it knows, and how it behaves; all of it may be changed while it runs."""

    url: str = ""
    specs: dict[str, JobSpec] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    events: list[FleetEventBody] = field(default_factory=list)
    repeats: int = 0
    """Events that came again under a number that was there before."""
    progress: list[NewProgress] = field(default_factory=list)
    beats: list[FleetBeat] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """By question."""
    parked: set[str] = field(default_factory=set)
    stops: dict[str, str] = field(default_factory=dict)
    crossing: str = ""
    """A job whose start is answered before a beat that was judged earlier, and stops it."""
    is_crossed: bool = False
    must_drain: bool = False
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What is refused, by the last word of the path: with which status and code."""
    unwanted: set[str] = field(default_factory=set)
    """Types of events that it does not take."""
    lose_replies: int = 0
    """So many calls take effect, and are not answered."""
    is_away: bool = False
    bell: threading.Condition = field(default_factory=threading.Condition)

    def grant(self, kind: str, *, fence: int = 1, job_id: str = "", **inputs: object) -> Ticket:
        """Grant an attempt of a new job, or of a known one anew; return its ticket."""
        job = JobId(job_id or f"0198c0de-0000-7000-8000-{len(self.specs):012d}")
        self.specs[job] = JobSpec(
            job_id=job,
            task_id=TaskId(job),
            kind=kind,
            title=kind,
            inputs=inputs,
        )
        self.fences[job] = fence
        self.deliveries.pop(job, None)
        return Ticket(job_id=job, attempt=fence, fence=fence, kind=kind)

    def types(self, ticket: Ticket) -> list[str]:
        return [one.type for one in self.events if one.job_id == ticket.job_id]

    def last(self, ticket: Ticket) -> FleetEventBody:
        return [one for one in self.events if one.job_id == ticket.job_id][-1]

    def answer(self, method: str, path: str, body: bytes) -> BaseModel:
        words = path.partition("?")[0].strip("/").split("/")
        assert words[:3] == ["api", "v1", "fleet"], path
        if words[-1] in self.refuse:
            raise Refusal(*self.refuse[words[-1]])
        match (method, words[3:]):
            case ("POST", ["beat"]):
                beat = FleetBeat.model_validate_json(body)
                self.beats.append(beat)
                heard = self._heard(beat)
                if self.crossing in {one.job_id for one in beat.held} and not self.is_crossed:
                    self.is_crossed = True
                    while not self.progress:
                        self.bell.wait(0.05)
                    stop = FleetStop(job_id=self.crossing, attempt=1, reason="It has moved on.")
                    heard = heard.model_copy(update={"stops": (stop,)})
                return heard
            case ("POST", ["attempts", job_id, "start"]):
                return self._start(job_id, StartAttempt.model_validate_json(body))
            case ("POST", ["attempts", job_id, "events"]):
                return self._take(job_id, FleetEvent.model_validate_json(body))
            case ("POST", ["attempts", job_id, "progress"]):
                told = NewProgress.model_validate_json(body)
                self._check(job_id, told.fence)
                self.progress.append(told)
                return Told(stop="")
            case ("GET", ["questions", question_id]):
                return self._question(question_id)
            case _:
                raise AssertionError(f"no such call: {method} {path}")

    def _heard(self, beat: FleetBeat) -> FleetHeard:
        held = {one.job_id: one.attempt for one in beat.held}
        return FleetHeard(
            stops=tuple(
                FleetStop(job_id=job, attempt=held[JobId(job)], reason=why)
                for job, why in self.stops.items()
                if job in held
            ),
            must_drain=self.must_drain,
            next_seconds=0.1,
            silent_seconds=1.0,
        )

    def _check(self, job_id: str, fence: int) -> None:
        if self.fences.get(job_id) != fence:
            raise Refusal(409, "fence_stale")

    def _start(self, job_id: str, body: StartAttempt) -> AttemptStarted:
        while job_id == self.crossing and not self.is_crossed:
            self.bell.wait(0.05)
        self._check(job_id, body.fence)
        if self.deliveries.setdefault(job_id, body.delivery) != body.delivery:
            raise Refusal(409, "fence_stale")
        return AttemptStarted(spec=self.specs[job_id], attempt=body.attempt, fence=body.fence)

    def _take(self, job_id: str, told: FleetEvent) -> Told:
        self._check(job_id, told.event.fence)
        assert told.event.job_id == job_id
        if self.deliveries.get(job_id) != told.delivery:
            raise Refusal(409, "fence_stale")
        if told.event.type in self.unwanted:
            raise Refusal(400, "result_invalid")
        if told.number <= self.numbers.get(told.delivery, 0):
            self.repeats += 1
        else:
            self.numbers[told.delivery] = told.number
            self.events.append(told.event)
        return Told(stop="")

    def _question(self, question_id: str) -> AnswerShown:
        value = self.answers.get(question_id)
        state = "parked" if question_id in self.parked else "open" if value is None else "answered"
        told = None if value is None else Answer(value=value, by="anna on the console")
        if state == "open":
            self.bell.wait(0.05)
        return AnswerShown(question_id=question_id, state=state, answer=told)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        hub = self.server.hub
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if hub.is_away:
            self.close_connection = True
            return
        with hub.bell:
            try:
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    raise Refusal(401, "key_invalid")
                told = hub.answer(method, self.path, body)
            except Refusal as refusal:
                problem = {
                    "type": "about:blank",
                    "title": refusal.code,
                    "status": refusal.status,
                    "detail": "No.",
                    "code": refusal.code,
                }
                self._send(refusal.status, MEDIA_TYPE, json.dumps(problem).encode())
            else:
                if hub.lose_replies and method == "POST" and not self.path.endswith("/beat"):
                    hub.lose_replies -= 1
                    self.close_connection = True
                else:
                    self._send(200, "application/json", told.model_dump_json().encode())
            hub.bell.notify_all()

    def _send(self, status: int, sort: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", sort)
        self.send_header("Content-Length", str(len(body)))
        # Whoever asked may be gone by now.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: FakeHub


@contextmanager
def a_fake_hub() -> Iterator[FakeHub]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hub = FakeHub(url=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.hub
        finally:
            server.shutdown()
            thread.join()
