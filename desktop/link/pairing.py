"""Joining a hub: ask to be let in, show two words, wait for the person's yes, get a token.

    ask ──202──▶ words are shown ──▶ token? ─┬─ waiting: ask again
                                             ├─ approved: worker id and token
                                             └─ rejected, expired: the end

What was asked outlives this process (`desktop.store.facts`): a computer that was switched off in
the middle goes on where it was, for the code is spent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from desktop.core.joining import WAIT_SECONDS_MAX, WAITING, pause_seconds, ran_out
from desktop.link.hub_post import odd, post
from desktop.store.facts import Asked, Pairing
from desktop.system.device_key import DeviceKey
from desktop.system.way import Way
from shared.capabilities import Capability
from shared.environment import Environment
from shared.errors import AppError, BadInput
from shared.ids import WorkerId, is_uuid
from shared.messages import NAME_CHARS_MAX
from shared.pairing import (
    PAIRING_ID_CHARS_MAX,
    SALT_BYTES,
    b64,
    check_words,
    from_b64,
    token_request,
)

HUB_NAME_CHARS_MAX = 200
HELD_SECONDS = 40.0
"""A hub holds a question for 20 s; the rest is for a slow line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a machine says of itself to the person who lets it in."""

    name: str
    platform: str
    app_version: str
    capabilities: Sequence[Capability]


class _Noted(BaseModel):
    """A hub's "we shall see". Only the words made of it are shown, and the code to send."""

    model_config = ConfigDict(frozen=True)

    pairing_id: str = Field(pattern=rf"^[A-Za-z0-9_-]{{1,{PAIRING_ID_CHARS_MAX}}}$")
    """It becomes a part of an address."""
    salt: str
    user_code: str = Field(default="", pattern=r"^([A-Z]{4}-[A-Z]{4})?$")
    expires_at: AwareDatetime


class _Joined(BaseModel):
    """A hub's yes. It is kept and sent back with every hello, so it has to fit there."""

    model_config = ConfigDict(frozen=True)

    worker_id: str
    token: str = Field(pattern="^[!-~]{1,200}$")
    """It travels in a header."""
    worker_name: str = Field(default="", max_length=NAME_CHARS_MAX)
    hub_name: str = Field(max_length=HUB_NAME_CHARS_MAX)
    person_name: str = Field(max_length=NAME_CHARS_MAX)


def ask(
    base: str,
    code: str | None,
    introduction: Introduction,
    key: DeviceKey,
    way: Way | None = None,
) -> Asked:
    """Ask a hub to let this machine in. A code is spent by this, whatever is decided.

    Args:
        base: as `hub_base` returns it.
        code: as typed; None makes the hub give one, for the person to send.
        introduction: shown to the person.
        key: of this machine.
        way: by the owner's rules.

    Raises:
        AppError: as the hub tells it (`pairing_code_wrong`, `pairing_paused`, …).
        Unavailable: `hub_unreachable`, `hub_odd_answer`.
    """
    body: dict[str, object] = {
        "public_key": b64(key.public),
        "name": introduction.name,
        "platform": introduction.platform,
        "app_version": introduction.app_version,
        "capabilities": [c.model_dump(mode="json") for c in introduction.capabilities],
    }
    if code is not None:
        body["code"] = code
    told = post(base, "/pairings", body, way=way)
    try:
        noted = _Noted.model_validate(told)
        salt = from_b64(noted.salt, SALT_BYTES)
    except (ValidationError, BadInput):
        raise odd(202) from None
    if code is None and not noted.user_code:
        raise odd(202)
    return Asked(
        hub_url=base,
        code=code or "",
        name=introduction.name,
        public_key=b64(key.public),
        pairing_id=noted.pairing_id,
        salt=noted.salt,
        words=check_words(key.public, salt),
        user_code="" if code else noted.user_code,
        expires_at=noted.expires_at,
    )


def wait_for_token(
    asked: Asked,
    key: DeviceKey,
    *,
    environment: Environment,
    sleep: Callable[[float], None] = time.sleep,
    on_trouble: Callable[[AppError], None] = lambda _error: None,
    on_calm: Callable[[], None] = lambda: None,
    way: Way | None = None,
) -> tuple[Pairing, str]:
    """Wait until the person has decided; return the pairing and the token.

    A line that drops, a hub that restarts and a token whose answer was lost are asked for again.

    Args:
        asked: what `ask` returned.
        key: the one it was asked with.
        environment: for time and jitter.
        sleep: how to wait between two questions.
        on_trouble: told once for each time that the hub stops answering.
        on_calm: told when it answers again.
        way: by the owner's rules.

    Raises:
        AppError: as the hub tells it (`pairing_rejected`, `pairing_expired`, …).
    """
    signed = key.sign(token_request(asked.pairing_id, from_b64(asked.salt, SALT_BYTES)))
    gives_up_at = environment.monotonic() + WAIT_SECONDS_MAX
    failures = 0
    while (began := environment.monotonic()) < gives_up_at:
        try:
            told = post(
                asked.hub_url,
                f"/pairings/{asked.pairing_id}/token",
                {"signature": b64(signed)},
                seconds=HELD_SECONDS,
                way=way,
            )
        except AppError as error:
            if not error.retryable:
                raise
            if error.code == WAITING and failures:
                on_calm()
            failures = 0 if error.code == WAITING else failures + 1
            if failures == 1:
                on_trouble(error)
            took = environment.monotonic() - began
            random = environment.random()
            sleep(pause_seconds(error, took_seconds=took, failures=failures, random=random))
        else:
            return _pairing(told, asked)
    raise ran_out()


def _pairing(told: dict[str, object], asked: Asked) -> tuple[Pairing, str]:
    try:
        joined = _Joined.model_validate(told)
    except ValidationError:
        raise odd(200) from None
    if not is_uuid(joined.worker_id):
        raise odd(200)
    pairing = Pairing(
        hub_url=asked.hub_url,
        worker_id=WorkerId(joined.worker_id),
        # A name that was taken on this hub comes back with a number.
        worker_name=joined.worker_name or asked.name[:NAME_CHARS_MAX],
        hub_name=joined.hub_name,
        person_name=joined.person_name,
    )
    return pairing, joined.token
