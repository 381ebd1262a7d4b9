"""Keys of programs: which there are, a new one, one in the place of another, and an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.core.access import Access, Scope
from hub.core.key import OWNERS_ALONE, Key, is_over
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.services.minting import Told
from shared.errors import AppError, NotFound
from shared.kinds.catalogue import BUILT_IN

router = APIRouter()
KeyPath = Annotated[str, Path(max_length=64)]

SCOPES: Mapping[Scope, tuple[str, str]] = {
    Scope.READ: ("Read", "Sees everything of yours and changes nothing."),
    Scope.ENQUEUE: ("Enqueue", "Asks for work in your name, and sees what became of it."),
    Scope.WORKER: ("Worker", "Fetches jobs over the API and reports on them."),
    Scope.ENROL: ("Enrol", "Makes codes that let computers in without asking: for containers."),
    Scope.FLEET: ("Fleet", "Runs what the hub hands to the fleet: for its nodes."),
    Scope.METRICS: ("Metrics", "Reads the hub's figures, which name nobody: for Prometheus."),
    Scope.PERSON: ("Person", "All that you may do yourself."),
    Scope.ADMIN: ("Admin", "Everything on this hub, for everybody."),
}
"""What a key may do: a word and a sentence, the least first."""
LIVES: Mapping[str, tuple[str, timedelta | None]] = {
    "30": ("30 days", timedelta(days=30)),
    "7": ("7 days", timedelta(days=7)),
    "90": ("90 days", timedelta(days=90)),
    "365": ("A year", timedelta(days=365)),
    "never": ("Until it is revoked", None),
}
OVERLAPS: Mapping[str, tuple[str, timedelta]] = {
    "24": ("another 24 hours", timedelta(hours=24)),
    "0": ("not at all", timedelta()),
    "1": ("another hour", timedelta(hours=1)),
    "168": ("another 7 days", timedelta(days=7)),
}


@router.get("/keys")
async def list_keys(request: Request, visitor: Guest, place: Place) -> Response:
    return await _page(request, visitor, place)


@router.post("/keys")
async def create_key(request: Request, visitor: Guest, place: Place, fields: Fields) -> Response:
    """Make a key and show it on this answer alone."""
    _, life = LIVES.get(fields.get("life", ""), LIVES["30"])
    try:
        told = await place.services.keys.create(
            _access(visitor),
            visitor.person.person_id,
            _scope(fields.get("scope", "")),
            name=fields.get("name", ""),
            kinds=_kinds(fields.get("kinds", "")),
            expires_at=place.environment.now() + life if life else None,
            by=visitor.by,
        )
    except AppError as error:
        return await _page(request, visitor, place, fault=error, fields=fields)
    return await _page(request, visitor, place, told=told)


@router.get("/keys/{key_id}")
async def show_key(key_id: KeyPath, request: Request, visitor: Guest, place: Place) -> Response:
    key = await _theirs(place, visitor, key_id)
    return await _one(request, visitor, place, key)


@router.post("/keys/{key_id}/rotate")
async def rotate_key(
    key_id: KeyPath, request: Request, visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Make a key in the place of another, and show it on this answer alone."""
    await _theirs(place, visitor, key_id)
    _, overlap = OVERLAPS.get(fields.get("overlap", ""), OVERLAPS["24"])
    told = await place.services.keys.rotate(
        _access(visitor), key_id, overlap=overlap, by=visitor.by
    )
    return await _page(request, visitor, place, told=told, replaced=key_id)


@router.post("/keys/{key_id}/revoke")
async def revoke_key(key_id: KeyPath, visitor: Guest, place: Place, fields: Fields) -> Response:
    key = await _theirs(place, visitor, key_id)
    await place.services.keys.revoke(_access(visitor), key_id, by=visitor.by)
    return lead("/keys", f"{key.name or key.prefix} works no more.")


async def _page(
    request: Request,
    visitor: Visitor,
    place: Setting,
    *,
    told: Told | None = None,
    replaced: str = "",
    fault: AppError | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    found = await _keys(place, visitor)
    people = {p.person_id: p.name for p in await place.services.registry.people()}
    return await page(
        request,
        visitor,
        "api_keys.html",
        status=400 if fault else 200,
        keys=found,
        old=next((key for key in found if key.key_id == replaced), None),
        told=told,
        fault=fault,
        fields=fields or {},
        scopes=_may_make(visitor),
        lives=LIVES,
        kinds=sorted(BUILT_IN),
        people=people,
        stands=lambda key: stands(key, place.environment.now()),
    )


async def _one(request: Request, visitor: Visitor, place: Setting, key: Key) -> Response:
    return await page(
        request,
        visitor,
        "api_key.html",
        key=key,
        scope=SCOPES[key.scope],
        overlaps=OVERLAPS,
        stand=stands(key, place.environment.now()),
    )


async def _keys(place: Setting, visitor: Visitor) -> Sequence[Key]:
    return await place.services.keys.of_person(_access(visitor), visitor.sees)


async def _theirs(place: Setting, visitor: Visitor, key_id: str) -> Key:
    """Find a key among those that the visitor sees.

    Raises:
        NotFound: `key_unknown`.
    """
    for key in await _keys(place, visitor):
        if key.key_id == key_id:
            return key
    raise NotFound("key_unknown", "There is no such key.", "The page of your keys lists them.")


def _access(visitor: Visitor) -> Access:
    """What somebody at a browser may do with keys."""
    scope = Scope.ADMIN if visitor.is_owner else Scope.PERSON
    return Access(person_id=visitor.person.person_id, scope=scope, key_id=visitor.sign_in_id)


def _may_make(visitor: Visitor) -> Mapping[Scope, tuple[str, str]]:
    return {s: told for s, told in SCOPES.items() if visitor.is_owner or s not in OWNERS_ALONE}


def _scope(name: str) -> Scope:
    return Scope(name) if name in set(Scope) else Scope.READ


def _kinds(text: str) -> tuple[str, ...]:
    """Take apart what was typed: "ml.train, ml.predict"."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def stands(key: Key, now: datetime) -> tuple[str, str, str]:
    """How a key stands: tone, icon, word."""
    if is_over(key, now):
        return "plain", "cancelled", "Run out"
    if key.successor:
        return "waiting", "queued", "Replaced"
    return "done", "check", "Works"
