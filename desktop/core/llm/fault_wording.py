"""What a person reads about a fault: what happened, with the facts, and what to do next."""

from __future__ import annotations

from desktop.core.llm.fault import FaultClass
from desktop.core.llm.types import Endpoint

_SAID: dict[FaultClass, str] = {
    FaultClass.NETWORK: "{name} could not be reached",
    FaultClass.TIMEOUT: "{name} did not answer in time",
    FaultClass.RATE_LIMIT: "{name} asks us to go slower",
    FaultClass.OVERLOADED: "{name} has too much to do just now",
    FaultClass.SERVER: "{name} has a problem of its own",
    FaultClass.AUTH_ERROR: "{name} does not accept the key",
    FaultClass.QUOTA: "the allowance at {name} is used up",
    FaultClass.BAD_REQUEST: "{name} refused the request",
    FaultClass.CONTEXT_LENGTH: "the text is longer than {name} takes at once",
    FaultClass.CONTENT_FILTER: "{name} does not allow this content",
    FaultClass.INVALID_RESPONSE: "{name} gave an answer that cannot be used",
    FaultClass.CANCELLED: "the call to {name} was stopped",
}


def message_for(fault: FaultClass, endpoint: Endpoint, status: int | None, words: str) -> str:
    """Say what happened.

    Args:
        fault: its class.
        endpoint: who was asked.
        status: of HTTP; None when there was none.
        words: the provider's own, already harmless and short.
    """
    said = _SAID[fault].format(name=f"'{endpoint.name}'")
    facts = "" if status is None else f" (HTTP {status})"
    sentence = f"{said[0].upper()}{said[1:]}{facts}"
    return f"{sentence}: “{words}”" if words else f"{sentence}."


_TO_DO: dict[FaultClass, str] = {
    FaultClass.AUTH_ERROR: "Keep a good one: deskhand keys set {key}, or in the window Settings"
    " under Keys.",
    FaultClass.QUOTA: "Add credit or raise the limit at {name}, then try again.",
    FaultClass.CONTEXT_LENGTH: "Make the text shorter, or choose a model that takes more.",
    FaultClass.BAD_REQUEST: "Check the model's name and the options of the scenario.",
    FaultClass.CONTENT_FILTER: "This is kept as a result; it is not asked again.",
    FaultClass.CANCELLED: "Start it again when you like; what was answered is kept.",
    FaultClass.INVALID_RESPONSE: "It is asked again by itself. A small output limit can be the"
    " reason.",
}


def hint_for(fault: FaultClass, endpoint: Endpoint, wait_seconds: float | None = None) -> str:
    """Say what to do next."""
    match fault:
        case FaultClass.NETWORK | FaultClass.TIMEOUT if endpoint.is_local:
            return f"Is the server at {endpoint.base_url} running? It is tried again by itself."
        case FaultClass.NETWORK:
            return "Is this computer online? It is tried again by itself."
        case FaultClass.RATE_LIMIT | FaultClass.OVERLOADED if wait_seconds:
            return f"It is asked again by itself, in {_spoken(wait_seconds)} at the earliest."
        case FaultClass.AUTH_ERROR if not endpoint.key_name:
            return "This server asks for a key: name one for it in the policy file, under [llm]."
        case _:
            told = _TO_DO.get(fault, "It is tried again by itself.")
            return told.format(key=endpoint.key_name, name=f"'{endpoint.name}'")


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"
