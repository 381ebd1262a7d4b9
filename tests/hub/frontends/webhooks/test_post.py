"""One call of a webhook, to a real server on loopback: where it goes, what it makes of answers."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpcore
import pytest

from hub.core.webhook import Answered, Outcome, Unanswered, write_secret
from hub.core.webhook_target import NOWHERE, Allowed, parse_allowed
from hub.frontends.webhooks.guard import SocketOption
from hub.frontends.webhooks.post import ANSWER_BYTES_MAX, HttpPost
from hub.frontends.webhooks.posting import Message
from shared.environment import Environment
from tests.fakes.authority import Authority
from tests.fakes.receiver import Answer, Receiver, a_receiver

KEY = b"k" * 32
MESSAGE = Message("msg_1", b'{"type":"webhook.test","timestamp":"2026-11-21T12:00:00Z","data":{}}')
LOOPBACK = parse_allowed("127.0.0.1")
OUTSIDE = "93.184.215.14"
"""An address of the internet, which the tests' network brings to the receiver."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as receiver:
        receiver.secrets.append(write_secret(KEY))
        yield receiver


@dataclass
class Names:
    """A resolver: each look-up gives the next answer, the last one again and again."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror("Name or service not known")
        return answer


class Elsewhere(httpcore.AnyIOBackend):
    """A network in which every address leads to the receiver; it notes which one was called."""

    def __init__(self, port: int, *, dead: frozenset[str] = frozenset()) -> None:
        self._port = port
        self._dead = dead
        self.called: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.called.append((host, port))
        if host in self._dead:
            raise httpcore.ConnectError("refused")
        return await super().connect_tcp(
            "127.0.0.1", self._port, timeout, local_address, socket_options
        )


@dataclass
class Sender:
    """A post and its surroundings."""

    post: HttpPost

    async def __call__(self, url: str) -> Outcome:
        return await self.post.send(url, [KEY], MESSAGE)


@contextlib.asynccontextmanager
async def sender(
    *,
    allowed: Allowed = LOOPBACK,
    names: Names | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
    call_seconds: float = 10.0,
) -> AsyncIterator[Sender]:
    post = HttpPost(
        Environment(),
        allowed,
        version="1",
        resolve=names or Names([[]]),
        network=network,
        tls=tls,
        call_seconds=call_seconds,
    )
    try:
        yield Sender(post)
    finally:
        await post.close()


@pytest.fixture
async def send() -> AsyncIterator[Sender]:
    async with sender() as one:
        yield one


async def test_a_message_arrives_signed(send: Sender, receiver: Receiver) -> None:
    assert await send(f"{receiver.base}/hook?a=b") == Answered(204)
    [got] = receiver.verified
    assert (got.path, got.body) == ("/hook?a=b", MESSAGE.body)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "Deskhand-Hub/1"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


async def test_a_redirect_is_not_followed(send: Sender, receiver: Receiver) -> None:
    with a_receiver() as other:
        receiver.answers.append(Answer(307, {"location": f"{other.base}/inside"}))
        receiver.answers.append(Answer(302, {"location": f"{other.base}/inside"}))
        assert await send(receiver.base) == Answered(307)
        assert await send(receiver.base) == Answered(302)
        assert other.received == []


async def test_no_proxy_of_the_environment_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base)
        async with sender() as send:
            assert await send(receiver.base) == Answered(204)
        assert proxy.received == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("soon", None),
        ("-5", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
async def test_when_to_come_again_is_read(
    send: Sender, receiver: Receiver, header: str, seconds: float | None
) -> None:
    receiver.answers.append(Answer(429, {"retry-after": header}))
    assert await send(receiver.base) == Answered(429, seconds)


async def test_of_an_endless_answer_little_is_read(send: Sender, receiver: Receiver) -> None:
    receiver.answers.append(Answer(200, is_endless=True))
    began = time.monotonic()
    assert await send(receiver.base) == Answered(200)
    assert time.monotonic() - began < 5
    # What the two ends' buffers hold comes on top of what was read.
    assert receiver.written_bytes < 64 * 1024 * 1024
    assert await send(receiver.base) == Answered(204)


async def test_a_short_answer_leaves_the_line_open_for_the_next_message(
    send: Sender, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(200, body=b"x" * ANSWER_BYTES_MAX))
    assert await send(receiver.base) == Answered(200)
    assert await send(receiver.base) == Answered(204)


async def test_who_does_not_answer_in_time_is_away(receiver: Receiver) -> None:
    receiver.usual = Answer(is_held=True)
    async with sender(call_seconds=0.2) as send:
        assert await send(receiver.base) == Unanswered("It did not answer within 0.2 s.")


async def test_nobody_there_is_an_outcome(send: Sender) -> None:
    with a_receiver() as gone:
        url = gone.base
    outcome = await send(url)
    assert outcome == Unanswered("It refuses the connection: nothing listens there.")


async def test_who_speaks_no_http_or_no_tls_is_an_outcome() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.listen()
        port = mute.getsockname()[1]

        def hang_up() -> None:
            for _ in range(2):
                line, _ = mute.accept()
                line.recv(1024)
                line.sendall(b"hello\r\n\r\n")
                line.close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        async with sender() as send:
            plain = await send(f"http://127.0.0.1:{port}/")
            tls = await send(f"https://127.0.0.1:{port}/")
        answering.join()
    assert plain == Unanswered("It hung up, or what it answered is not HTTP.")
    assert tls == Unanswered("It does not speak TLS as it should.")


async def test_a_name_that_nobody_knows_is_an_outcome() -> None:
    async with sender(names=Names([[]])) as send:
        assert await send("https://nowhere.example/") == Unanswered("Its name is not known.")


INSIDE = ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fd00::1"]


@pytest.mark.parametrize("inside", INSIDE)
async def test_a_name_that_leads_inside_is_not_called(receiver: Receiver, inside: str) -> None:
    network = Elsewhere(receiver.port)
    async with sender(allowed=NOWHERE, names=Names([[inside]]), network=network) as send:
        outcome = await send("https://inside.example/")
    assert outcome == Unanswered("inside.example leads to no address of the public internet.")
    assert (network.called, receiver.received) == ([], [])


async def test_a_name_with_addresses_in_and_outside_is_called_outside(receiver: Receiver) -> None:
    network = Elsewhere(receiver.port)
    names = Names([["10.0.0.1", OUTSIDE, "::1"]])
    async with sender(allowed=NOWHERE, names=names, network=network) as send:
        await send("https://mixed.example/")
    assert network.called == [(OUTSIDE, 443)]


async def test_what_was_looked_up_once_is_what_is_called(
    receiver: Receiver, tmp_path: Path
) -> None:
    """A name that leads outside at the first look-up and inside at the second gains nothing."""
    authority = Authority(tmp_path)
    tls = ssl.create_default_context(cafile=str(authority.file))
    names = Names([[OUTSIDE], ["127.0.0.1"]])
    with a_receiver(tls=authority.server("rebind.example")) as there:
        there.secrets.append(write_secret(KEY))
        there.usual = Answer(headers={"connection": "close"})
        network = Elsewhere(there.port)
        async with sender(allowed=NOWHERE, names=names, network=network, tls=tls) as send:
            # The certificate is for the name, so the name was asked for; the host header, too.
            assert await send("https://rebind.example/hook") == Answered(204)
            assert (names.asked, network.called) == (["rebind.example"], [(OUTSIDE, 443)])
            again = await send("https://rebind.example/hook")
        assert isinstance(again, Unanswered)
        assert "no address of the public internet" in again.error
        assert network.called == [(OUTSIDE, 443)]
        [got] = there.verified
        assert got.headers["host"] == "rebind.example"


async def test_a_certificate_for_another_name_is_not_accepted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = ssl.create_default_context(cafile=str(authority.file))
    with a_receiver(tls=authority.server("other.example")) as there:
        network = Elsewhere(there.port)
        names = Names([[OUTSIDE]])
        async with sender(allowed=NOWHERE, names=names, network=network, tls=tls) as send:
            outcome = await send("https://mine.example/")
    assert isinstance(outcome, Unanswered)
    assert "certificate" in outcome.error
    assert there.received == []


async def test_an_authority_of_the_operators_own_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    outcomes = []
    with a_receiver(tls=authority.server("mine.example")) as there:
        for file in ("", str(authority.file)):
            if file:
                monkeypatch.setenv("SSL_CERT_FILE", file)
            network = Elsewhere(there.port)
            async with sender(allowed=NOWHERE, names=Names([[OUTSIDE]]), network=network) as send:
                outcomes.append(await send("https://mine.example/"))
    assert isinstance(outcomes[0], Unanswered)
    assert outcomes[1] == Answered(204)


async def test_of_several_addresses_the_next_is_called_when_one_is_dead(
    receiver: Receiver,
) -> None:
    dead = "198.41.0.4"
    network = Elsewhere(receiver.port, dead=frozenset({dead}))
    async with sender(
        allowed=NOWHERE, names=Names([[dead, OUTSIDE]]), network=network, tls=_any_certificate()
    ) as send:
        await send("https://two.example/")
    assert network.called == [(dead, 443), (OUTSIDE, 443)]


async def test_what_the_operator_no_longer_allows_is_not_called(receiver: Receiver) -> None:
    network = Elsewhere(receiver.port)
    async with sender(allowed=NOWHERE, names=Names([[OUTSIDE]]), network=network) as send:
        for url in (receiver.base, "http://hooks.example/", "https://hooks.example:22/"):
            assert isinstance(await send(url), Unanswered)
    assert (network.called, receiver.received) == ([], [])


async def test_neither_the_secret_nor_the_path_is_in_a_log(
    send: Sender, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await send(f"{receiver.base}/services/T0PSECRET")
    assert receiver.verified
    assert write_secret(KEY).removeprefix("whsec_") not in caplog.text
    assert "T0PSECRET" not in caplog.text
    assert receiver.verified[0].headers["webhook-signature"] not in caplog.text


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
