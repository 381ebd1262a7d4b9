"""The REST API under a person who means no good: its routes as the schema tells them, bent.

The person is Mallory, with a key of her own. Nothing of Anna's may change or be told.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from hub.core.access import Scope
from hub.engines.fleet_desk import FleetDesk
from hub.engines.fleet_nodes import FleetNodes
from hub.engines.pull import PullEngine
from hub.engines.pull_desk import PullDesk
from hub.frontends.api import make_api
from hub.frontends.api.parts import About
from hub.frontends.sse import Streams
from hub.frontends.webchat import WebFrontend
from hub.services.snapshots import Snapshots
from tests.fuzz.hub_target import Besieged
from tests.fuzz.mutation import TEXTS, mutate, torn, written
from tests.fuzz.targets import PATIENCE_SECONDS, Round, Trouble, in_memory

BASE = "http://hub.test"
SCHEMA = "/api/v1/openapi.json"
SECRET = "anna-keeps-this"
"""Stands in a request of Anna's; nobody else is ever told it."""


class Routes:
    """What can be asked, and documents that would fit, out of the API's own schema."""

    def __init__(self, schema: dict[str, Any], target: Besieged) -> None:
        self.schema = schema
        self.voice = target.voice
        self.all = [
            (method, path, told)
            for path, methods in schema["paths"].items()
            for method, told in methods.items()
        ]

    def some(self) -> str | bytes:
        """Make a request, as a line of JSON."""
        rng = self.voice.rng
        method, path, told = rng.choice(self.all)
        path = re.sub(r"\{(\w+)\}", lambda _: quote(self._text(), safe=""), path)
        query = {
            p["name"]: self._query(p.get("schema", {}))
            for p in told.get("parameters", ())
            if p["in"] == "query" and rng.random() < 0.6
        }
        headers = {"content-type": "application/json"} if rng.random() < 0.9 else {}
        if rng.random() < 0.2:
            headers["idempotency-key"] = quote(self._text())[:300]
        request = {
            "method": method if rng.random() < 0.95 else rng.choice(("PATCH", "HEAD", "X")),
            "path": path,
            "query": query,
            "headers": headers,
            "body": self._body(told),
        }
        return self.voice.say(json.dumps(request))

    def _text(self) -> str:
        rng = self.voice.rng
        text = rng.choice(self.voice.pool) if rng.random() < 0.7 else rng.choice(TEXTS)
        return text.encode("utf-8", "replace").decode()[:500]

    def _query(self, schema: dict[str, Any]) -> object:
        rng = self.voice.rng
        return rng.choice((0, 1, -1, 2**63, 2**70, True, self._text(), self.document(schema)))

    def _body(self, told: dict[str, Any]) -> str:
        rng = self.voice.rng
        content = told.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return "" if rng.random() < 0.8 else "{}"
        document = self.document(content["schema"])
        match rng.randrange(6):
            case 0 | 1:
                return json.dumps(document)
            case 2:
                broken = torn(rng, json.dumps(document))
                return broken if isinstance(broken, str) else broken.decode("utf-8", "replace")
            case _:
                return written(rng, mutate(rng, document, self.voice.pool))

    def document(self, schema: dict[str, Any], depth: int = 0) -> object:
        """Make a document that would fit a schema, more or less."""
        rng = self.voice.rng
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self.document(self.schema["components"]["schemas"][name], depth)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self.document(rng.choice(schema[several]), depth)
        if "enum" in schema:
            return rng.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                known = schema.get("properties", {})
                made = {n: self.document(s, depth + 1) for n, s in known.items() if depth < 6}
                return made or {"file": self._text()}
            case "array":
                return [self.document(schema.get("items", {}), depth + 1) for _ in range(2)]
            case "integer" | "number":
                return rng.choice((0, 1, 2, 50))
            case "boolean":
                return rng.random() < 0.5
            case "null":
                return None
            case _:
                return rng.choice((self._text(), "ml.train", "probe.run", "yes"))


class Rest:
    """The API's application, asked without a network."""

    def __init__(self, target: Besieged, folder: Path) -> None:
        self.target = target
        services, environment = target.services, target.ledger.environment
        about = About(
            hub_name="hub",
            hub_epoch=target.ledger.hub_epoch,
            version="test",
            hub_url=BASE,
            frontends=tuple,
            chat_links=dict,
            streams=Streams(services),
            pulling=PullDesk(services, environment, PullEngine(services, environment)),
            fleet=FleetDesk(services, FleetNodes(environment)),
            chat=WebFrontend(services=services, environment=environment),
        )
        self.app = make_api(services, Snapshots(target.ledger, folder / "snapshots"), about)

    async def prepare(self) -> None:
        key = await self.target.services.keys.issue(self.target.mallory.person_id, Scope.PERSON)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=BASE,
            headers={"Authorization": f"Bearer {key}"},
        )
        self.routes = Routes((await self.client.get(SCHEMA)).json(), self.target)

    async def play(self, count: int) -> None:
        voice = self.target.voice
        for frame in voice.frames(count, self.routes.some):
            told = json.loads(frame)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    answer = await self.client.request(
                        told["method"],
                        told["path"],
                        params={k: str(v) for k, v in told["query"].items()},
                        headers=told["headers"],
                        content=told["body"].encode("utf-8", "replace"),
                    )
            except TimeoutError:
                raise Trouble("stuck", f"no answer to {frame[:300]!r}") from None
            self.look_at(answer, told)

    def look_at(self, answer: httpx.Response, told: dict[str, Any]) -> None:
        where = f"{told['method']} {told['path'][:200]} → {answer.status_code}"
        is_text = "gzip" not in answer.headers.get("content-type", "")
        text = answer.text if is_text else gzip.decompress(answer.content).decode()
        if "Traceback" in text or answer.status_code == 500:
            raise Trouble("crash", f"{where}: {answer.text[:500]}")
        if SECRET in text:
            raise Trouble("lost", f"{where} tells what is Anna's")
        if answer.status_code >= 400 and told["method"] != "HEAD":
            self.target.played.refused += 1
            kind = answer.headers.get("content-type", "")
            if not kind.startswith("application/problem+json") or not answer.json()["code"]:
                raise Trouble("crash", f"{where} has no code: {answer.text[:500]}")


def asked(played: Round, count: int) -> None:
    """No request crashes the API, is refused without a code, or reaches what is another's."""
    asyncio.run(_asked(played, count))


async def _asked(played: Round, count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="deskhand-fuzz-", dir=in_memory()) as folder:
        hub = Besieged(Path(folder), played)
        try:
            with structlog.testing.capture_logs():
                async with asyncio.TaskGroup() as tasks:
                    await hub.prepare(tasks, secret=SECRET)
                    rest = Rest(hub, Path(folder))
                    await rest.prepare()
                    await rest.play(count)
                    await rest.client.aclose()
                    if await hub.print_of(hub.anna) != hub.before:
                        raise Trouble("doubled", "something of Anna's has changed")
        finally:
            hub.database.close()
