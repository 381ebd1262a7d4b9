"""Makes keys: out of chance, told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.access import SECRET_BYTES, Access, Scope, digest, make_secret, write_key
from hub.core.key import LAST_CHARS, Key
from shared.environment import Environment
from shared.ids import PersonId, WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A key as it was just made."""

    key: Key
    text: str
    """The key itself; it is told here and nowhere else."""

    def __repr__(self) -> str:
        return f"<Told {self.key.prefix}>"


def mint(
    environment: Environment,
    person_id: PersonId,
    scope: Scope,
    *,
    name: str = "",
    kinds: tuple[str, ...] = (),
    worker_id: WorkerId | None = None,
    expires_at: datetime | None = None,
) -> Told:
    """Make a key; it works once it was written down."""
    secret = make_secret(environment.entropy(SECRET_BYTES))
    access = Access(
        person_id=person_id,
        scope=scope,
        key_id=environment.new_id(),
        kinds=kinds,
        worker_id=worker_id,
    )
    key = Key(
        access=access,
        digest=digest(secret),
        name=name,
        last=secret[-LAST_CHARS:],
        created_at=environment.now(),
        expires_at=expires_at,
    )
    return Told(key=key, text=write_key(scope, access.key_id, secret))
