"""The old way to join a hub, until every hub has the new one (`desktop.link.pairing`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from desktop.core.hub_address import is_loopback
from desktop.store.facts import Pairing
from shared.capabilities import Capability
from shared.errors import AppError, Unavailable
from shared.ids import WorkerId, is_uuid
from shared.messages import NAME_CHARS_MAX

CLAIM_SECONDS = 20.0
ANSWER_BYTES_MAX = 64 * 1024
HUB_NAME_CHARS_MAX = 200
WORDS_CHARS_MAX = 500
"""Of what a hub that refuses says to the person."""


class _Joined(BaseModel):
    """A hub's yes. It is kept and sent back with every hello, so it has to fit there."""

    model_config = ConfigDict(frozen=True)

    worker_id: str
    token: str = Field(pattern="^[!-~]{1,200}$")
    """It travels in a header."""
    worker_name: str = Field(default="", max_length=NAME_CHARS_MAX)
    hub_name: str = Field(max_length=HUB_NAME_CHARS_MAX)
    person_name: str = Field(max_length=NAME_CHARS_MAX)


def claim(
    base: str,
    code: str,
    *,
    name: str,
    platform: str,
    app_version: str,
    capabilities: Sequence[Capability],
) -> tuple[Pairing, str]:
    """Trade a code for a worker id and a token; return the pairing and the token.

    Raises:
        AppError: as the hub tells it (`pairing_code_wrong`, `pairing_paused`, …).
        Unavailable: `hub_unreachable`, `hub_odd_answer`.
    """
    import httpx

    body = {
        "code": code,
        "name": name,
        "platform": platform,
        "app_version": app_version,
        "capabilities": [capability.model_dump(mode="json") for capability in capabilities],
    }
    try:
        status, content = _post(f"{base}/api/v1/pairings", body)
    except httpx.HTTPError as error:
        raise Unavailable(
            "hub_unreachable",
            f"The hub at {base} cannot be reached ({type(error).__name__}).",
            "Check the address, and that the hub runs.",
            retryable=True,
        ) from error
    told = _json_object(content, status)
    if status != 201:
        raise _refusal(told, status)
    try:
        joined = _Joined.model_validate(told)
    except ValidationError:
        raise _odd(status) from None
    if not is_uuid(joined.worker_id):
        raise _odd(status)
    pairing = Pairing(
        hub_url=base,
        worker_id=WorkerId(joined.worker_id),
        # A name that was taken on this hub comes back with a number.
        worker_name=joined.worker_name or name[:NAME_CHARS_MAX],
        hub_name=joined.hub_name,
        person_name=joined.person_name,
    )
    return pairing, joined.token


def _post(url: str, body: Mapping[str, object]) -> tuple[int, bytes]:
    """Post the code to that address and no other; return the status and what was answered."""
    import httpx

    host = urlsplit(url).hostname or ""
    with (
        # No proxy may see a code that is meant for this machine.
        httpx.Client(
            timeout=CLAIM_SECONDS, follow_redirects=False, trust_env=not is_loopback(host)
        ) as client,
        client.stream("POST", url, json=body, headers={"Accept-Encoding": "identity"}) as answer,
    ):
        content = b""
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > ANSWER_BYTES_MAX:
                raise _odd(answer.status_code)
    return answer.status_code, content


def _json_object(content: bytes, status: int) -> dict[str, object]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise _odd(status)
    return told


def _refusal(problem: dict[str, object], status: int) -> AppError:
    code, message = problem.get("code"), problem.get("detail") or problem.get("title")
    if not isinstance(code, str) or not isinstance(message, str):
        return _odd(status)
    hint = str(problem.get("hint") or "")
    return AppError(code[:100], message[:WORDS_CHARS_MAX], hint[:WORDS_CHARS_MAX])


def _odd(status: int) -> Unavailable:
    return Unavailable(
        "hub_odd_answer",
        f"The address answers, but not as a Deskhand hub does (HTTP {status}).",
        "Check the hub's address.",
    )
