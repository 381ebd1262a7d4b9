"""Single values: who this worker is, which hub it belongs to, how far it has come with it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from desktop.store import copy_tables
from shared.ids import WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What joining a hub left behind; the token is kept by the system's safe."""

    hub_url: str
    worker_id: WorkerId
    worker_name: str
    hub_name: str
    person_name: str


class Asked(BaseModel):
    """A hub was asked to let this machine in and has not said yes or no; the code is spent."""

    model_config = ConfigDict(frozen=True)

    hub_url: str
    code: str
    """As it was typed; empty when the hub gave one."""
    name: str
    public_key: str
    pairing_id: str
    salt: str
    words: str
    user_code: str
    expires_at: AwareDatetime


def get(connection: sqlite3.Connection, name: str, default: str = "") -> str:
    row = connection.execute("select value from fact where name = ?", (name,)).fetchone()
    return default if row is None else str(row[0])


def put(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "insert into fact(name, value) values (?, ?) "
        "on conflict(name) do update set value = excluded.value",
        (name, value),
    )


def pairing(connection: sqlite3.Connection) -> Pairing | None:
    if not get(connection, "worker_id"):
        return None
    return Pairing(
        hub_url=get(connection, "hub_url"),
        worker_id=WorkerId(get(connection, "worker_id")),
        worker_name=get(connection, "worker_name"),
        hub_name=get(connection, "hub_name"),
        person_name=get(connection, "person_name"),
    )


def save_pairing(connection: sqlite3.Connection, paired: Pairing) -> None:
    """Join a hub; what belonged to an earlier one starts anew in the next epoch."""
    if get(connection, "worker_id") not in ("", paired.worker_id):
        _drop_what_was_its(connection)
    put(connection, "hub_url", paired.hub_url)
    put(connection, "worker_id", paired.worker_id)
    put(connection, "worker_name", paired.worker_name)
    put(connection, "hub_name", paired.hub_name)
    put(connection, "person_name", paired.person_name)
    put(connection, "hub_epoch", "")
    put(connection, "hub_seq", "0")
    put(connection, "epoch", str(epoch(connection) + 1))
    put(connection, "asked", "")
    # A later try to pair may make another key; the hub goes on knowing this one.
    put(connection, "signs_as", public_key(connection))
    copy_tables.begin(connection)
    copy_tables.note_name(connection, paired.worker_id, paired.worker_name)


def forget_pairing(connection: sqlite3.Connection) -> None:
    """Belong to no hub any more; what belonged to the last one goes. Idempotent."""
    _drop_what_was_its(connection)
    copy_tables.begin(connection)
    for name in ("hub_url", "worker_id", "worker_name", "hub_name", "person_name", "asked"):
        put(connection, name, "")


def _drop_what_was_its(connection: sqlite3.Connection) -> None:
    connection.execute("delete from attempt")
    connection.execute("delete from question")
    # Another hub must not even learn the hashes of what the last one was to get.
    connection.execute("delete from outgoing")
    connection.execute("delete from asked_here")


def asked(connection: sqlite3.Connection) -> Asked | None:
    """Return the pairing that is not decided yet, as far as this machine knows."""
    try:
        return Asked.model_validate_json(get(connection, "asked"))
    except ValidationError:
        return None


def save_asked(connection: sqlite3.Connection, asking: Asked | None) -> None:
    put(connection, "asked", asking.model_dump_json() if asking else "")


def public_key(connection: sqlite3.Connection) -> str:
    """Return the public half of this machine's key, as base64url; empty before it is made."""
    return get(connection, "public_key")


def signs_as(connection: sqlite3.Connection) -> str:
    """Return the public half of the key that this machine paired with; empty for none."""
    return get(connection, "signs_as") or public_key(connection)


def epoch(connection: sqlite3.Connection) -> int:
    return int(get(connection, "epoch", "0"))


def hub_cursor(connection: sqlite3.Connection) -> tuple[str, int]:
    """Return the hub epoch and the last of its events that is applied here."""
    return get(connection, "hub_epoch"), int(get(connection, "hub_seq", "0"))


def move_hub_cursor(connection: sqlite3.Connection, hub_epoch: str, hub_seq: int) -> None:
    put(connection, "hub_epoch", hub_epoch)
    put(connection, "hub_seq", str(hub_seq))


def local_hub_port(connection: sqlite3.Connection) -> int:
    """Return where the hub listens that this program runs itself; 0 when it runs none."""
    return int(get(connection, "local_hub", "0"))


def put_local_hub_port(connection: sqlite3.Connection, port: int) -> None:
    """Run a hub of our own from now on, or none (0). A machine that belongs to it moves along."""
    before = local_hub_port(connection)
    if port and before and get(connection, "hub_url") == local_hub_url(before):
        put(connection, "hub_url", local_hub_url(port))
    put(connection, "local_hub", str(port))


def tidy_local_hub(connection: sqlite3.Connection) -> None:
    """Want no hub of our own that nobody belongs to: a join was cut off before its end."""
    ours = local_hub_url(local_hub_port(connection))
    if get(connection, "hub_url") == ours:
        return
    put(connection, "local_hub", "0")
    asking = asked(connection)
    if asking is not None and asking.hub_url == ours:
        save_asked(connection, None)


def local_hub_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
