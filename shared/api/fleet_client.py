"""The operations of a node of the fleet, with a key of scope `fleet`.

    hub = FleetClient("https://hub.example.org", fleet_key)
    started = hub.start_attempt(ticket.job_id, StartAttempt(...))  # Conflict: drop the ticket
    ...
    hub.tell_attempt(ticket.job_id, FleetEvent(delivery=..., number=1, event=JobSucceeded(...)))

Each may be called again after a failure of the line: none counts twice.
"""

from __future__ import annotations

from shared.api.fleet import (
    AttemptStarted,
    FleetBeat,
    FleetEvent,
    FleetHeard,
    FleetNodeShown,
    FleetShown,
    StartAttempt,
)
from shared.api.pull_client import WAIT_SECONDS, part
from shared.api.queue import AnswerShown, NewProgress, Told
from shared.api.transport import Transport


class FleetClient:
    """One hub's API, with one key; calls block, so nodes make them in threads."""

    def __init__(self, hub_url: str, key: str = "") -> None:
        self._transport = Transport(hub_url, key)
        self._ask = self._transport.ask

    @property
    def hub_url(self) -> str:
        return self._transport.hub_url

    def get_fleet(self) -> FleetShown:
        """All that a scaler needs, with a key of scope `fleet` or the operator's."""
        return self._ask(FleetShown, "GET", "/fleet")

    def drain_fleet_node(self, node: str) -> FleetNodeShown:
        """Let a node take nothing new, with the operator's key; it hears of it at its next beat."""
        return self._ask(FleetNodeShown, "POST", f"/fleet/nodes/{part(node)}/drain")

    def beat_fleet(self, beat: FleetBeat) -> FleetHeard:
        return self._ask(FleetHeard, "POST", "/fleet/beat", body=beat)

    def start_attempt(self, job_id: str, start: StartAttempt) -> AttemptStarted:
        """Ask to begin.

        Raises:
            Conflict: `fence_stale`: acknowledge the message, and drop it.
            Unavailable: nobody knows; ask again with the same delivery.
        """
        path = f"/fleet/attempts/{part(job_id)}/start"
        return self._ask(AttemptStarted, "POST", path, body=start)

    def tell_attempt(self, job_id: str, told: FleetEvent) -> Told:
        """Report; the answer says why the job is to stop, or nothing.

        Raises:
            Conflict: `fence_stale`: the job has moved on; end it without a word.
            BadInput: `result_invalid`, `event_too_large`; nothing has changed, fail the job.
        """
        path = f"/fleet/attempts/{part(job_id)}/events"
        # Only what was set travels, and which event it is must.
        event = told.event.model_copy(update={"type": told.event.type})
        told = told.model_copy(update={"event": event})
        return self._ask(Told, "POST", path, body=told)

    def tell_attempt_progress(self, job_id: str, told: NewProgress) -> Told:
        path = f"/fleet/attempts/{part(job_id)}/progress"
        return self._ask(Told, "POST", path, body=told)

    def get_fleet_answer(
        self, question_id: str, *, wait_seconds: float | None = None
    ) -> AnswerShown:
        """Wait for the answer to a question, CLAIM_SECONDS_MAX (20 s) at most."""
        path, query = f"/fleet/questions/{part(question_id)}", {"wait_seconds": wait_seconds}
        return self._ask(AnswerShown, "GET", path, query=query, seconds=WAIT_SECONDS)
