"""Joining a hub with a one-time code."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.store.facts import Pairing
from shared.capabilities import Capability
from shared.errors import AppError, Unavailable
from shared.ids import WorkerId

CLAIM_SECONDS = 20.0


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
        answer = httpx.post(f"{base}/api/v1/pairings", json=body, timeout=CLAIM_SECONDS)
    except httpx.HTTPError as error:
        raise Unavailable(
            "hub_unreachable",
            f"The hub at {base} cannot be reached ({type(error).__name__}).",
            "Check the address, and that the hub runs.",
            retryable=True,
        ) from error
    told = _json_object(answer)
    if answer.status_code != 201:
        raise _refusal(told, answer.status_code)
    try:
        pairing = Pairing(
            hub_url=base,
            worker_id=WorkerId(str(told["worker_id"])),
            # A name that was taken on this hub comes back with a number.
            worker_name=str(told.get("worker_name") or name),
            hub_name=str(told["hub_name"]),
            person_name=str(told["person_name"]),
        )
        return pairing, str(told["token"])
    except KeyError as error:
        raise _odd(answer.status_code) from error


def _json_object(answer: object) -> dict[str, object]:
    import httpx

    assert isinstance(answer, httpx.Response)
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise _odd(answer.status_code)
    return told


def _refusal(problem: dict[str, object], status: int) -> AppError:
    code, message = problem.get("code"), problem.get("detail") or problem.get("title")
    if not isinstance(code, str) or not isinstance(message, str):
        return _odd(status)
    return AppError(code, message, str(problem.get("hint") or ""))


def _odd(status: int) -> Unavailable:
    return Unavailable(
        "hub_odd_answer",
        f"The address answers, but not as a Deskhand hub does (HTTP {status}).",
        "Check the hub's address.",
    )
