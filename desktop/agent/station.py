"""What the line to the hub asks of this worker, and how the worker acts on what the hub says."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from desktop.abilities import Abilities
from desktop.agent.admission import Admission
from desktop.agent.floor import AgentFloor
from desktop.agent.line import AgentLine
from desktop.agent.sessions import SessionFolders
from desktop.agent.setup import Setup
from desktop.core.attempt import AttemptState
from desktop.core.outcome import Ending
from desktop.store.hands import Hands
from desktop.system import hardware
from shared import trace
from shared.errors import AppError
from shared.events import Event
from shared.ids import JobId
from shared.jobs import JobSpec
from shared.messages import (
    Accept,
    Beat,
    Cancel,
    Decision,
    Decline,
    Events,
    Fault,
    FromHub,
    Grant,
    Hello,
    Offer,
    Verdict,
    Welcome,
)

log = structlog.get_logger(__name__)


class AgentStation:
    """See `desktop.link.station.Station`."""

    def __init__(
        self,
        setup: Setup,
        floor: AgentFloor,
        hands: Hands,
        *,
        abilities: Abilities,
        admission: Admission,
        sessions: SessionFolders,
        line: AgentLine,
        on_beat: Callable[[], None],
    ) -> None:
        self._setup, self._floor, self._hands = setup, floor, hands
        self._abilities, self._admission = abilities, admission
        self._sessions = sessions
        self._line = line
        self._on_beat = on_beat

    async def hello(self) -> Hello:
        position = await self._hands.own_log.position()
        return Hello(
            device=self._setup.pairing.worker_id,
            epoch=position.epoch,
            name=self._setup.pairing.worker_name,
            platform=hardware.platform_name(),
            app_version=self._setup.app_version,
            capabilities=self._admission.with_consent(self._abilities.capabilities),
            lacking=self._abilities.lacking,
            zone=hardware.zone_name(),
            slots=self._admission.slots,
            outbox_seq=position.outbox_seq,
            hub_epoch=position.hub_epoch,
            hub_seq=position.hub_seq,
            held=self._hands.held,
        )

    def beat(self) -> Beat:
        self._on_beat()
        return Beat(
            held=self._hands.held,
            slots=self._admission.slots,
            metrics=self._setup.seams.measure(self._setup.paths.data),
        )

    @property
    def outbox_seq(self) -> int:
        return self._hands.own_log.outbox_seq

    async def outbox(self, start: int, count_max: int) -> list[Event]:
        return await self._hands.own_log.events(start, count_max)

    async def acknowledged(self, seq: int) -> None:
        await self._hands.acknowledge(seq)

    async def forked(self, hub_epoch: str, upto: int) -> None:
        await self._hands.own_log.fork(hub_epoch, upto)

    async def continues(self, seq: int, digest: str) -> bool:
        return await self._hands.own_log.continues(seq, digest)

    async def restored(self, acked_seq: int) -> None:
        log.warning("the store was copied or is an older copy of itself; a new epoch begins")
        await self._hands.renew(acked_seq)

    async def apply(self, hub_epoch: str, events: Events) -> None:
        heard = await self._hands.hear(hub_epoch, events)
        for question, value in heard.answers:
            self._floor.pass_on(question, value)
        for attempt in heard.ended:
            self._floor.runner.end(attempt.spec.job_id, Ending.PARKED)
        if heard.settled:
            self._floor.steps.heard(heard.settled)
        if heard.is_of_machines:
            self._floor.renew_offers()
        me = self._floor.worker_id
        await self._sessions.end(s.session_id for s in heard.sessions if s.worker_id == me)

    async def take(self, message: FromHub) -> None:
        match message:
            case Welcome():
                for verdict in message.verdicts:
                    await self._obey(verdict)
            case Offer():
                await self._consider(message)
            case Grant(job=JobSpec() as spec):
                await self._begin_unasked(spec, message)
            case Grant():
                await self._floor.start(message.job_id, message.attempt, message.fence)
            case Cancel():
                await self._cancel(message.job_id, message.attempt)
            case Fault():
                log.warning("the hub says", code=message.error.code, error=message.error.message)
            case _:
                log.warning("message ignored", type=message.type)

    async def _consider(self, offer: Offer) -> None:
        """Answer an offer: a refusal with its reason, or yes, journalled first."""
        job_id = offer.job.job_id
        if self._hands.get(job_id, offer.attempt) or self._hands.alive(job_id):
            return
        await self._drop_older(job_id)
        asked = await self._hands.asked_here(job_id)
        error = self._admission.refusal_of_offered(offer.job, asked)
        if error is not None:
            self._decline(offer.job, offer.attempt, error)
            return
        await self._hands.accept(offer.job, offer.attempt)
        self._line.send(Accept(job_id=job_id, attempt=offer.attempt))

    async def _begin_unasked(self, spec: JobSpec, grant: Grant) -> None:
        """Begin what this worker has said yes to ahead, or give it back with the reason."""
        if spec.job_id != grant.job_id:
            log.warning("grant ignored: it describes another job", job_id=grant.job_id)
            return
        if self._hands.get(grant.job_id, grant.attempt):
            return  # it came twice
        await self._drop_older(grant.job_id)
        refused = self._admission.refusal_of_unasked(spec)
        if refused is not None:
            self._decline(spec, grant.attempt, refused)
            return
        try:
            running = await self._hands.begin(spec, grant.attempt, grant.fence)
        except AppError as error:  # it does not stand in the journal, so nothing has begun
            self._decline(spec, grant.attempt, error)
            raise
        await self._floor.run(running)

    async def _drop_older(self, job_id: JobId) -> None:
        """Forget that older offers of a job were accepted."""
        for stale in self._hands.accepted(job_id):
            await self._hands.forget(stale)

    def _decline(self, spec: JobSpec, number: int, error: AppError) -> None:
        trace_id = trace.trace_id_of(spec.traceparent)
        log.info("offer declined", job_id=spec.job_id, code=error.code, trace_id=trace_id)
        self._line.send(Decline(job_id=spec.job_id, attempt=number, error=error.body))

    async def _obey(self, verdict: Verdict) -> None:
        match verdict.decision:
            case Decision.KEEP:
                pass
            case Decision.GRANT:
                await self._floor.start(verdict.job_id, verdict.attempt, verdict.fence)
            case Decision.ABORT | Decision.FORGET:
                await self._cancel(verdict.job_id, verdict.attempt)

    async def _cancel(self, job_id: JobId, number: int) -> None:
        attempt = self._hands.get(job_id, number)
        if attempt is None:
            return
        if attempt.state is AttemptState.ACCEPTED:
            await self._hands.forget(attempt)
            self._floor.start_waiting()
        elif attempt.state is AttemptState.GRANTED:
            await self._floor.alone.give_up(attempt)
        elif attempt.is_alive:
            self._floor.stop(job_id)
