"""Keys of programs: list, make, rotate, revoke. A key is told once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.core.access import Scope
from hub.core.key import Key
from hub.frontends.api.parts import Hub, Known, by, whose
from hub.services.minting import Told
from shared.api.keys import KeyList, KeyRotation, KeyScope, KeyShown, KeyTold, NewKey
from shared.api.parts import ID

router = APIRouter(tags=["keys"])
KeyPath = Annotated[str, Path(pattern=ID)]
NO_STORE = "no-store"


def shown(key: Key) -> KeyShown:
    return KeyShown(
        key_id=key.key_id,
        person_id=key.access.person_id,
        name=key.name,
        scope=KeyScope(key.scope),
        kinds=key.access.kinds,
        worker_id=key.access.worker_id,
        prefix=key.prefix,
        last=key.last,
        created_at=key.created_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        successor=key.successor or None,
    )


@router.get("/keys")
async def list_keys(
    caller: Known, hub: Hub, person_id: Annotated[str | None, Query(pattern=ID)] = None
) -> KeyList:
    """The caller's keys, the newest first; the operator sees everybody's, or one person's."""
    of = caller.sees if person_id is None else whose(caller, person_id)
    keys = await hub.keys.of_person(caller.access, of)
    return KeyList(keys=tuple(shown(key) for key in keys))


@router.post("/keys", status_code=201)
async def create_key(new: NewKey, caller: Known, hub: Hub, response: Response) -> KeyTold:
    """Make a key; nobody can give it more than they may do themselves."""
    person_id = whose(caller, new.person_id)
    await hub.registry.person(person_id)
    told = await hub.keys.create(
        caller.access,
        person_id,
        Scope(new.scope),
        name=new.name,
        kinds=new.kinds,
        expires_at=new.expires_at,
        by=by(caller),
    )
    return _told(told, response)


@router.post("/keys/{key_id}/rotate", status_code=201)
async def rotate_key(
    key_id: KeyPath, wanted: KeyRotation, caller: Known, hub: Hub, response: Response
) -> KeyTold:
    """Make a key that takes this one's place; this one works on for a while."""
    overlap = timedelta(seconds=wanted.overlap_seconds)
    return _told(
        await hub.keys.rotate(caller.access, key_id, overlap=overlap, by=by(caller)), response
    )


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(key_id: KeyPath, caller: Known, hub: Hub) -> None:
    """End a key at once, and whatever it holds open."""
    await hub.keys.revoke(caller.access, key_id, by=by(caller))


def _told(told: Told, response: Response) -> KeyTold:
    # A key must not lie in anybody's cache.
    response.headers["Cache-Control"] = NO_STORE
    return KeyTold(**shown(told.key).model_dump(), key=told.text)
