"""Probe runs: how far each is, what came of it, its probes, and what was said in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from hub.core.job import JobCard
from hub.core.run import RUN, TRANSCRIPT, ProbeShelf, RunCard, stats_of
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.headways import Headway, headway
from hub.frontends.web.outcome import Handed, outcome_of
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.frontends.webchat import conversation_of
from hub.services.requests import Request as Wish
from hub.services.runs import run_id_of
from shared.ids import JobId
from shared.jobs import TITLE_CHARS_MAX
from shared.kinds import JsonObject
from shared.kinds.llm import CELLS_MAX, TranscriptOutput
from shared.money import dollars

router = APIRouter()
RunPath = Annotated[str, Path(max_length=64)]
Index = Annotated[int, Path(ge=0, lt=CELLS_MAX)]
Before = Annotated[str | None, Query(max_length=64)]
PAGE = 50
SHELVES: Mapping[ProbeShelf, str] = {
    "all": "All",
    "answered": "Answered",
    "refused": "Refused",
    "failed": "Failed",
    "open": "Open",
}


@router.get("/runs")
async def list_runs(
    request: Request, visitor: Guest, place: Place, before: Before = None
) -> Response:
    cards = await place.services.runs.page(
        visitor.sees, limit=PAGE + 1, before=JobId(before) if before else None
    )
    return await page(
        request,
        visitor,
        "runs.html",
        runs=cards[:PAGE],
        older=cards[PAGE - 1].card.job_id if len(cards) > PAGE else None,
        is_first=before is None,
        headway=lambda run: _headway(place, run.card),
        dollars=cost,
    )


@router.get("/runs/{name}")
async def show_run(
    name: RunPath,
    request: Request,
    visitor: Guest,
    place: Place,
    show: ProbeShelf = "all",
    before: Before = None,
) -> Response:
    run = await place.services.runs.get(visitor.sees, JobId(name))
    probes = await place.services.runs.probes(
        run, show, limit=PAGE + 1, before=JobId(before) if before else None
    )
    statistics = await place.services.runs.statistics(run)
    return await page(
        request,
        visitor,
        "run.html",
        run=run,
        headway=_headway(place, run.card),
        probes=probes[:PAGE],
        show=show,
        shelves=SHELVES,
        older=probes[PAGE - 1].card.job_id if len(probes) > PAGE else None,
        is_first=before is None,
        statistics=statistics,
        stats=stats_of(statistics) if statistics else None,
        plots=await _plots(place, statistics),
        dollars=cost,
    )


@router.get("/runs/{name}/probes/{index}")
async def show_probe(
    name: RunPath, index: Index, request: Request, visitor: Guest, place: Place
) -> Response:
    run = await place.services.runs.get(visitor.sees, JobId(name))
    fetched = await place.services.runs.transcript(run, index)
    return await page(
        request,
        visitor,
        "probe.html",
        run=run,
        index=index,
        probe=await place.services.runs.probe(run, index),
        fetched=fetched,
        transcript=_transcript(fetched),
        dollars=cost,
    )


@router.post("/runs/{name}/probes/{index}/fetch")
async def fetch_transcript(
    name: RunPath, index: Index, visitor: Guest, place: Place, sent: Fields
) -> Response:
    """Ask the computer that has it for what was said."""
    run = await place.services.runs.get(visitor.sees, JobId(name))
    inputs: JsonObject = {"run": run_id_of(run.card), "index": index}
    wish = _wish(visitor, run, TRANSCRIPT, inputs, f"What was said in probe {index + 1}")
    await place.services.intake.request(wish)
    return lead(f"/runs/{name}/probes/{index}")


@router.post("/runs/{name}/again")
async def ask_again(name: RunPath, visitor: Guest, place: Place, sent: Fields) -> Response:
    """Go on with a run: what has an answer is not asked again."""
    run = await place.services.runs.get(visitor.sees, JobId(name))
    wish = _wish(visitor, run, RUN, {"again": run_id_of(run.card)}, run.card.title)
    asked = (await place.services.intake.request(wish)).card
    return lead(f"/runs/{asked.job_id}", "What has no answer yet is asked again.")


def _wish(visitor: Visitor, run: RunCard, kind: str, inputs: JsonObject, title: str) -> Wish:
    """Ask the computer that has the run, as a step of the same task."""
    return Wish(
        person_id=visitor.person.person_id,
        kind=kind,
        inputs=inputs,
        title=title[:TITLE_CHARS_MAX],
        conversation=conversation_of(visitor.person.person_id),
        worker_id=run.card.worker_id,
        task_id=run.card.job.task_id,
    )


def _headway(place: Setting, card: JobCard) -> Headway:
    return headway(card.job_id, place.services.feed.progress_of(card.job_id))


async def _plots(place: Setting, statistics: JobCard | None) -> tuple[Handed, ...]:
    """Pictures that the statistics handed over, while the hub has them."""
    if statistics is None:
        return ()
    outcome = outcome_of(statistics, await place.services.files.of_job(statistics.job_id))
    return tuple(f for f in outcome.files if f.is_picture and f.is_here) if outcome else ()


def _transcript(fetched: JobCard | None) -> TranscriptOutput | None:
    if fetched is None or fetched.result is None:
        return None
    try:
        return TranscriptOutput.model_validate(fetched.result)
    except ValidationError:
        return None


def cost(usd: float | None) -> str:
    """Write a sum; a dash for none."""
    return "–" if usd is None else dollars(usd)
