"""The short way to a task and the long way answer alike, whatever comes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given
from hypothesis import strategies as some
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.core.access import Scope as KeyScope
from hub.frontends.api.problems import BODY_BYTES_MAX
from hub.frontends.api.short_way import PATHS, ShortWay
from hub.services import Services
from hub.services.requests import Request
from shared.ids import PersonId
from tests.hub.frontends.world import open_world

OWN = re.compile(rb'("(?:short|[a-z]+_at|task_id|job_id)":)"[^"]*"|(/tasks/)[0-9a-f-]{36}')
"""What two tasks never share."""
TASK: dict[str, Any] = {"kind": "ml.train", "inputs": {"file": "a.csv"}}
Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Told:
    status: int
    headers: Pairs
    body: bytes
    raised: str = ""


@dataclass(slots=True)
class Ways:
    """Both ways into one hub."""

    portal: BlockingPortal
    services: Services
    long: ASGIApp
    key: str
    person_id: PersonId
    was_long: bool = False

    def short(self) -> ShortWay:
        async def long(scope: Scope, receive: Receive, send: Send) -> None:
            self.was_long = True
            await self.long(scope, receive, send)

        return ShortWay(self.services, long)

    def ask(self, app: ASGIApp, *, pieces: list[bytes], is_cut: bool = False, **more: Any) -> Told:
        self.was_long = False
        return self.portal.call(_asked, app, {**_scope(), **more}, pieces, is_cut)

    def alike(self, headers: Pairs, body: bytes, **more: Any) -> Told:
        """Ask both ways; return what was told, without what two tasks never share."""
        pieces = [body[: len(body) // 2], body[len(body) // 2 :]]
        long = self.ask(self.long, pieces=pieces, headers=headers, **more)
        short = self.ask(self.short(), pieces=pieces, headers=headers, **more)
        assert _shared(short) == _shared(long)
        return short

    def headers(self, body: bytes, **more: str | None) -> Pairs:
        """Write the headers of a plain request, some of them otherwise; None for not at all."""
        told: Mapping[str, str | None] = {
            "host": "hub",
            "authorization": f"Bearer {self.key}",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        return [
            (name.encode(), value.encode()) for name, value in told.items() if value is not None
        ]


async def _asked(app: ASGIApp, scope: Scope, pieces: list[bytes], is_cut: bool) -> Told:
    coming: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if not is_cut:
        coming[-1]["more_body"] = False
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raised = ""
    try:
        await app(scope, receive, send)
    except Exception as error:
        raised = repr(error)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Told(sent[0]["status"], sorted(sent[0]["headers"]), body, raised)


def _scope() -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/tasks",
        "raw_path": b"/api/v1/tasks",
        "root_path": "",
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }


def _shared(told: Told) -> Told:
    headers = [(name, OWN.sub(rb"\1\2", value)) for name, value in told.headers]
    return replace(told, headers=headers, body=OWN.sub(rb"\1\2", told.body))


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    folder: Path = tmp_path_factory.mktemp("hub")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_world(folder)) as world,
    ):
        way = portal.call(world.hub.api.ready)
        assert isinstance(way, ShortWay)
        services = world.hub.services
        [owner] = portal.call(services.registry.people)
        yield Ways(portal, services, way._app, world.admin_key, owner.person_id)


@pytest.fixture
def key_of(ways: Ways) -> Any:
    def made(scope: KeyScope) -> str:
        async def issue() -> str:
            return await ways.services.keys.issue(ways.person_id, scope)

        return ways.portal.call(issue)

    return made


PLAIN: Mapping[str, bytes] = {
    "the least": b'{"kind":"ml.models"}',
    "all there is": json.dumps(
        {**TASK, "title": "Größe ✓", "text": "Zeile\n2", "priority": "high", "worker": ""}
    ).encode(),
    "blanks around": b' \r\n{"kind": "ml.models"}\n',
    "a field twice": b'{"kind":"nonsense","kind":"ml.models"}',
    "with a mark of its order": '\ufeff{"kind":"ml.models"}'.encode(),
    "in UTF-16": '{"kind":"ml.models"}'.encode("utf-16"),
    "a kind that nobody knows": b'{"kind":"nonsense"}',
    "inputs that are none of the kind": b'{"kind":"ml.models","inputs":{"nonsense":1}}',
    "inputs beyond JSON": b'{"kind":"ml.train","inputs":{"file":NaN}}',
    "half a character": b'{"kind":"ml.train","inputs":{"file":"\\ud800"}}',
    "a computer that nobody has": b'{"kind":"ml.models","worker":"nowhere"}',
}


@pytest.mark.parametrize("path", sorted(PATHS))
@pytest.mark.parametrize("case", PLAIN)
def test_what_is_plain_goes_the_short_way_and_is_told_the_same(
    ways: Ways, case: str, path: str
) -> None:
    body = PLAIN[case]
    told = ways.alike(ways.headers(body), body, path=path)
    assert told.status in (201, 404, 422)
    assert not ways.was_long


BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no text": b"\xff\xfe\xfd",
    "a list": b"[]",
    "null": b"null",
    "no kind": b"{}",
    "a kind that is no text": b'{"kind":1}',
    "a field too many": b'{"kind":"ml.models","more":1}',
    "a priority that is none": b'{"kind":"ml.models","priority":"urgent"}',
    "a text that is too long": json.dumps({**TASK, "text": "x" * 4001}).encode(),
    "a title that is half a character": b'{"kind":"ml.models","title":"\\udfff"}',
    "a number of 5,000 digits": b'{"kind":"ml.models","inputs":{"a":' + b"9" * 5000 + b"}}",
    "deep": b'{"kind":"ml.models","inputs":{"a":' + b"[" * 400 + b"]" * 400 + b"}}",
    "very deep": b'{"kind":"ml.models","inputs":{"a":' + b"[" * 99_999 + b"]" * 99_999 + b"}}",
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_none_is_told_by_the_long_way(ways: Ways, case: str) -> None:
    told = ways.alike(ways.headers(BODIES[case]), BODIES[case])
    assert told.status in (400, 422)
    assert ways.was_long


HEADERS: Mapping[str, dict[str, str | None]] = {
    "no key": {"authorization": None},
    "an empty key": {"authorization": "Bearer "},
    "a key that is none": {"authorization": "Bearer dh_person_x_y"},
    "another scheme": {"authorization": "Basic YTpi"},
    "a small scheme": {"authorization": "bearer dh_person_x_y"},
    "no type": {"content_type": None},
    "text": {"content_type": "text/plain"},
    "JSON of a sort": {"content_type": "application/problem+json"},
    "JSON with more": {"content_type": "application/json; charset=utf-8"},
    "no length": {"content_length": None},
    "too long": {"content_length": str(BODY_BYTES_MAX + 1)},
    "a length that is none": {"content_length": "many"},
    "an Idempotency-Key that is empty": {"idempotency_key": ""},
    "an Idempotency-Key that is too long": {"idempotency_key": "k" * 201},
    "an Idempotency-Key that is no ASCII": {"idempotency_key": "ß"},
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_are_odd_are_told_the_same(ways: Ways, case: str) -> None:
    body = PLAIN["the least"]
    ways.alike(ways.headers(body, **HEADERS[case]), body)


@pytest.mark.parametrize("name", ["authorization", "content-type", "idempotency-key"])
def test_a_header_that_comes_twice_is_told_the_same(ways: Ways, name: str) -> None:
    body = PLAIN["the least"]
    headers = ways.headers(body, idempotency_key=f"twice {name}")
    ways.alike([*headers, (name.encode(), b"other")], body)
    assert ways.was_long


@pytest.mark.parametrize(
    "more",
    [
        {"method": "PUT"},
        {"method": "GET"},
        {"query_string": b"priority=high"},
        {"path": "/api/v1/tasks/"},
        {"path": "/api/v1/tasks/x/jobs"},
    ],
    ids=str,
)
def test_other_requests_take_the_long_way(ways: Ways, more: dict[str, Any]) -> None:
    body = PLAIN["the least"]
    ways.alike(ways.headers(body), body, **more)
    assert ways.was_long


def test_a_request_that_is_cut_off_makes_nothing(ways: Ways) -> None:
    body = PLAIN["the least"]
    for app in (ways.long, ways.short()):
        told = ways.ask(app, headers=ways.headers(body), pieces=[body], is_cut=True)
        assert told.status == 400


@pytest.mark.parametrize("scope", KeyScope)
def test_a_key_opens_the_short_way_as_it_opens_the_long_one(
    ways: Ways, scope: KeyScope, key_of: Any
) -> None:
    body = PLAIN["the least"]
    told = ways.alike(ways.headers(body, authorization=f"Bearer {key_of(scope)}"), body)
    may = (KeyScope.ENQUEUE, KeyScope.PERSON, KeyScope.ADMIN)
    assert told.status == (201 if scope in may else 403)
    assert not ways.was_long


def test_a_key_is_told_before_what_is_in_a_body(ways: Ways, key_of: Any) -> None:
    wrong = f"Bearer {key_of(KeyScope.READ)}"
    for body, status in ((b"{}", 403), (b"{", 400), (b"[]", 403)):
        assert ways.alike(ways.headers(body, authorization=wrong), body).status == status


def test_an_idempotency_key_counts_on_both_ways(ways: Ways) -> None:
    body, other = PLAIN["the least"], PLAIN["all there is"]
    headers = ways.headers(body, idempotency_key="one of both")
    first = ways.ask(ways.long, headers=headers, pieces=[body])
    assert ways.ask(ways.short(), headers=headers, pieces=[body]) == first
    assert not ways.was_long
    headers = ways.headers(other, idempotency_key="one of both")
    assert b"dedupe_reused" in ways.alike(headers, other).body
    assert not ways.was_long


def test_a_bug_is_told_and_passed_on_to_the_server(ways: Ways) -> None:
    class Broken:
        async def request(self, _request: Request) -> NoReturn:
            raise RuntimeError("broken")

    services = replace(ways.services, intake=Broken())  # type: ignore[arg-type]
    body = PLAIN["the least"]
    told = ways.ask(ShortWay(services, ways.long), headers=ways.headers(body), pieces=[body])
    assert (told.status, told.raised) == (500, "RuntimeError('broken')")
    assert json.loads(told.body)["code"] == "hub_bug"


values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=6,
)
fields = some.fixed_dictionaries(
    {"kind": some.sampled_from(["ml.models", "ml.train"]) | values},
    optional={
        "inputs": some.dictionaries(some.sampled_from(["file", "target"]) | some.text(), values)
        | values,
        "title": some.text() | values,
        "text": some.text() | values,
        "priority": some.sampled_from(["low", "default", "high", "HIGH"]) | values,
        "worker": some.just("") | values,
        "other": values,
    },
)


@given(told=fields | values, is_ascii=some.booleans())
def test_any_body_is_told_the_same(ways: Ways, told: object, is_ascii: bool) -> None:
    body = json.dumps(told, ensure_ascii=is_ascii).encode(errors="surrogatepass")
    ways.alike(ways.headers(body), body)
