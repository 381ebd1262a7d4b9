"""Asking for something: pick what, fill in what is known, or type it as in a chat."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub.frontends.web import kind_form
from hub.frontends.web.asking import Draft, offers, request_in_words, request_of
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.kind_form import InputField
from hub.frontends.web.pages.jobs import find
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.frontends.web.wanted import PRIORITIES
from hub.services.requests import Request as Wish
from shared.errors import AppError
from shared.kinds import Kind
from shared.kinds.catalogue import kind_named

router = APIRouter()
UNFIT = 422


@router.get("/tasks/new")
async def new_task(
    request: Request, visitor: Guest, place: Place, kind: str = "", like: str = ""
) -> Response:
    """The form of a kind, or what there is to choose from; `like` fills it as a job was asked."""
    draft = Draft(dedupe=place.environment.new_id())
    if like:
        card = await find(place, visitor, like)
        chosen = kind_named(card.kind, place.services.intake.kinds)
        fields = kind_form.filled(kind_form.fields_of(chosen), card.inputs)
        worker = await _pinned_to(place, card.job.pinned_to)
        draft = replace(draft, worker=worker, priority=card.job.priority)
        return await _form(request, visitor, place, chosen, fields, draft)
    if kind:
        chosen = kind_named(kind, place.services.intake.kinds)
        return await _form(request, visitor, place, chosen, kind_form.fields_of(chosen), draft)
    return await _choice(request, visitor, place, draft)


@router.post("/tasks/new")
async def ask(request: Request, visitor: Guest, place: Place, sent: Fields) -> Response:
    """Ask for it; sent twice, it is asked for once."""
    draft = Draft.of(sent)
    if "words" in sent:
        try:
            wish = request_in_words(visitor, sent["words"], draft)
            return await _asked(place, wish)
        except AppError as error:
            words = sent["words"]
            return await _choice(request, visitor, place, draft, words=words, error=error)
    kind = kind_named(sent.get("kind", ""), place.services.intake.kinds)
    inputs, fields = kind_form.read(kind, kind_form.typed(kind_form.fields_of(kind), sent))
    if any(field.fault for field in fields):
        return await _form(request, visitor, place, kind, fields, draft, status=UNFIT)
    try:
        return await _asked(place, request_of(visitor, kind, inputs, draft))
    except AppError as error:
        return await _form(request, visitor, place, kind, fields, draft, error, status=UNFIT)


async def _asked(place: Setting, wish: Wish) -> Response:
    card = (await place.services.intake.request(wish)).card
    return lead(f"/jobs/{card.job_id}", f"Asked for: {card.title}")


async def _choice(
    request: Request,
    visitor: Visitor,
    place: Setting,
    draft: Draft,
    *,
    words: str = "",
    error: AppError | None = None,
) -> Response:
    machines = await place.services.machines.all(visitor.person.person_id)
    return await page(
        request,
        visitor,
        "new_task.html",
        status=UNFIT if error else 200,
        offers=offers(place.services.intake.kinds, machines),
        words=words,
        error=error,
        draft=draft,
    )


async def _form(
    request: Request,
    visitor: Visitor,
    place: Setting,
    kind: Kind,
    fields: tuple[InputField, ...],
    draft: Draft,
    error: AppError | None = None,
    *,
    status: int = 200,
) -> Response:
    machines = await place.services.machines.all(visitor.person.person_id)
    [offer] = [o for o in offers(place.services.intake.kinds, machines) if o.kind == kind.name]
    able = {
        machine.card.name: any(c.kind == kind.name for c in machine.card.worker.capabilities)
        for machine in machines
    }
    return await page(
        request,
        visitor,
        "new_task_form.html",
        status=status,
        offer=offer,
        fields=fields,
        draft=draft,
        able=able,
        priorities=PRIORITIES,
        error=error,
    )


async def _pinned_to(place: Setting, worker_id: object) -> str:
    for card in await place.services.views.workers(None):
        if card.worker_id == worker_id:
            return card.name
    return ""
