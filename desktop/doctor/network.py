"""The way to the hub, a step at a time: name, proxy, certificate, answer, clock."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from desktop.core.link import reason_of
from desktop.core.network_rules import shown, untrusted
from desktop.doctor.finding import Finding, well, wrong
from desktop.link.hub_post import client_options
from desktop.system.way import Way
from shared.errors import AppError
from shared.loopback import is_loopback

ANSWER_SECONDS = 5.0
SKEW_SECONDS_MAX = 60.0
"""More, and times in chats look wrong; much more, and no certificate is valid."""
CERTIFICATE_DAYS_MIN = 7


def examine_way(base: str, way: Way | None = None) -> Iterator[Finding]:
    """Look at every step to a hub; stops where there is no going on."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    way = way or Way()
    proxy = way.proxy_for(base)
    if proxy:
        yield well("proxy", f"The way to {host} goes through the proxy {shown(proxy)}")
    elif not is_loopback(host):
        yield well("proxy", "No proxy is set for the hub")
        found = _name(host, parts.port or _port(parts))
        yield found
        if not found.is_well:
            return
        if parts.scheme == "https":
            found = _certificate(host, parts.port or _port(parts), way)
            yield found
            if not found.is_well:
                return
    yield from _answer(base, way)


def _port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _name(host: str, port: int) -> Finding:
    hint = "Check the hub's address, and whether this machine is online."
    answers: queue.SimpleQueue[int | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            answers.put(error)

    # The system may take half a minute; nobody waits for that.
    threading.Thread(target=ask, name="dns", daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        return wrong("dns", f"The name {host} was not found in {ANSWER_SECONDS:.0f} s", hint)
    if isinstance(answer, OSError):
        return wrong("dns", f"The name {host} is not known here", hint)
    return well("dns", f"The name {host} is known ({answer} addresses)")


def _certificate(host: str, port: int, way: Way) -> Finding:
    try:
        context = way.trust()
        with (
            socket.create_connection((host, port), timeout=ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as line,
        ):
            told, version = line.getpeercert() or {}, line.version()
    except AppError as error:
        return wrong("tls", error.message, error.hint)
    except ssl.SSLCertVerificationError as error:
        why = untrusted(host, error.verify_code, error.verify_message)
        return wrong("tls", why.message, why.hint)
    except OSError as error:
        return wrong(
            "tls",
            f"{host} cannot be reached ({reason_of(error)})",
            "Check the hub, this machine's network, and firewalls between them.",
        )
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)
    days = (ends - datetime.now(UTC)).days
    sentence = f"{host} speaks {version}; its certificate ends in {days} days"
    if days < CERTIFICATE_DAYS_MIN:
        return wrong("tls", sentence, "Whoever runs the hub has to renew it.")
    return well("tls", sentence)


def _answer(base: str, way: Way) -> Iterator[Finding]:
    import httpx

    begun = datetime.now(UTC)
    try:
        with httpx.Client(timeout=ANSWER_SECONDS, **client_options(way, base)) as client:
            answer = client.get(f"{base}/api/v1/health")
    except AppError as error:
        yield wrong("hub", error.message, error.hint)
        return
    except httpx.HTTPError as error:
        told = way.why(error, base)
        if told is not None and told.code != "hub_unreachable":
            yield wrong("hub", told.message, told.hint)
            return
        yield wrong(
            "hub",
            f"Hub {base} cannot be reached",
            "Does it run, and is this machine online? Jobs wait until it answers.",
        )
        return
    if answer.status_code == httpx.codes.OK:
        yield well("hub", f"Hub {base} answers")
    else:
        yield wrong("hub", f"{base} is no Deskhand hub", "Check the hub's address.")
    told = answer.headers.get("date", "")
    if told:
        yield clock(told, begun, datetime.now(UTC))


def clock(told: str, begun: datetime, ended: datetime) -> Finding:
    """Compare this machine's clock with the hub's.

    Args:
        told: the header Date, whole seconds.
        begun: when it was asked, here.
        ended: when it had answered, here.
    """
    try:
        theirs = parsedate_to_datetime(told)
    except ValueError:
        return well("clock", "The hub tells no time to compare the clock with")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    middle = begun + (ended - begun) / 2
    skew = (middle - theirs).total_seconds() - 0.5  # theirs was cut to whole seconds
    leeway = (ended - begun).total_seconds() / 2 + 0.5
    if abs(skew) <= SKEW_SECONDS_MAX + leeway:
        return well("clock", "The clock goes as the hub's does")
    side = "ahead of" if skew > 0 else "behind"
    return wrong(
        "clock",
        f"This machine's clock is {_duration(abs(skew))} {side} the hub's",
        "Let the system set its clock by itself.",
    )


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size - 1:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
