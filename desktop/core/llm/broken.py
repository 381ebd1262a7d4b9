"""Faults of calls that brought no answer, or one that is none: lines, names, clocks, keys."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from desktop.core.llm.fault import FaultClass, LlmFault, quoted
from desktop.core.llm.fault_wording import hint_for, message_for
from desktop.core.llm.types import Endpoint

_CAUSES_MAX = 12


class Break(StrEnum):
    """How a call ended without an answer."""

    REFUSED = "nothing listens there"
    NO_SUCH_NAME = "its name is not known"
    CERTIFICATE = "its certificate is not trusted"
    CONNECT_TIMEOUT = "no connection in time"
    ANSWER_TIMEOUT = "the answer took too long"
    CUT = "the connection broke"
    CANCELLED = "stopped"


_TIMEOUTS = frozenset({Break.CONNECT_TIMEOUT, Break.ANSWER_TIMEOUT})

_SIGNS: tuple[tuple[Break, frozenset[str], str], ...] = (
    (Break.CANCELLED, frozenset({"CancelledError"}), ""),
    (
        Break.CERTIFICATE,
        frozenset({"SSLCertVerificationError"}),
        "certificate_verify_failed",
    ),
    (Break.CONNECT_TIMEOUT, frozenset({"ConnectTimeout", "PoolTimeout"}), ""),
    (
        Break.ANSWER_TIMEOUT,
        frozenset(
            {"ReadTimeout", "WriteTimeout", "TimeoutException", "TimeoutError", "APITimeoutError"}
        ),
        "",
    ),
    (Break.NO_SUCH_NAME, frozenset({"gaierror"}), "name or service not known"),
    (Break.REFUSED, frozenset({"ConnectionRefusedError"}), "connection refused"),
    (
        Break.CUT,
        frozenset(
            {"TransportError", "APIConnectionError", "ModelConnectionError", "ConnectionError"}
            | {"RemoteProtocolError", "OSError"}
        ),
        "",
    ),
)
"""Classes of exceptions, and words, that mean a break; the first that fits counts."""


def fault_of_break(endpoint: Endpoint, kind: Break) -> LlmFault:
    """Say what a call without an answer means."""
    if kind is Break.CANCELLED:
        fault = FaultClass.CANCELLED
    else:
        fault = FaultClass.TIMEOUT if kind in _TIMEOUTS else FaultClass.NETWORK
    message = message_for(fault, endpoint, None, "")
    hint = hint_for(fault, endpoint)
    if fault is not FaultClass.CANCELLED:
        bound = f" ({endpoint.timeout_seconds:g} s)" if kind is Break.ANSWER_TIMEOUT else ""
        message = f"{message.removesuffix('.')}: {kind.value}{bound}."
    if kind is Break.CERTIFICATE:
        hint = "Name your certificate authority under [network] in the policy file, as ca_file."
    broken = LlmFault(fault, message, hint, endpoint=endpoint.name)
    # A certificate does not mend itself between two tries.
    return broken.for_good() if kind is Break.CERTIFICATE else broken


def break_of(error: BaseException) -> Break | None:
    """Return how the call ended, by the names in an exception's chain; None for anything else.

    By name, so that no library of a provider's has to be imported to be recognised.
    """
    chain = list(_chain(error))
    names = {cls.__name__ for cause in chain for cls in type(cause).__mro__}
    texts = " ".join(str(cause) for cause in chain).lower()
    for kind, known, words in _SIGNS:
        if names & known or (words and words in texts):
            return kind
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def odd_key(endpoint: Endpoint) -> LlmFault:
    """Say that what is there for a key is none; nothing is sent then."""
    return LlmFault(
        FaultClass.AUTH_ERROR,
        f"What is kept here as {endpoint.key_name} is no key: it has blanks or letters that none"
        " has.",
        f"Copy it again from the provider's page: deskhand keys set {endpoint.key_name}.",
        endpoint=endpoint.name,
    )


def missing_key(endpoint: Endpoint) -> LlmFault:
    """Say that no key is there, which one, and where it belongs."""
    return LlmFault(
        FaultClass.MISSING_API_KEY,
        f"'{endpoint.name}' needs the key {endpoint.key_name}, and this computer has none.",
        f"Keep it here: deskhand keys set {endpoint.key_name}, or in the window Settings under"
        f" Keys; or start Deskhand with {endpoint.key_name} in its environment.",
        endpoint=endpoint.name,
    )


def invalid_response(
    endpoint: Endpoint, what: str, *, status: int | None = 200, request_id: str = ""
) -> LlmFault:
    """Say that an answer came that is none: empty, cut off, not what was agreed.

    Args:
        endpoint: who answered.
        what: what is wrong with it; quoted as the words of others.
        status: of HTTP.
        request_id: the provider's.
    """
    fault = FaultClass.INVALID_RESPONSE
    return LlmFault(
        fault,
        message_for(fault, endpoint, status, quoted(what)),
        hint_for(fault, endpoint),
        endpoint=endpoint.name,
        http_status=status,
        request_id=request_id,
    )
