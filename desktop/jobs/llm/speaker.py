"""Says something to a model and brings back its reply: one call, one try.

    say ─ dialects (library's objects) ─ pydantic_ai.direct ─ wire ─▶ endpoint
      ◀── replies (Reply, or the fault that it is) ◀──────────┘

Waiting, trying again and how many at a time are the house's; what was said, the store's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from desktop.core.llm import locality
from desktop.core.llm.broken import Break, break_of, fault_of_break, invalid_response, missing_key
from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling, ToolSampling
from desktop.jobs.llm.loading import load
from desktop.jobs.llm.wire import Call, client_for, current_call
from desktop.system.way import Way
from shared.spans import timed

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelResponse

    from desktop.jobs.llm.dialects import ModelObject

log = structlog.get_logger(__name__)

MODELS_KEPT_MAX = 256
CAUSES_MAX = 10


class Speaker:
    """All lines of one process to models; clients and their connections are kept between calls."""

    def __init__(self, way: Way | None = None) -> None:
        """Make no connection yet.

        Args:
            way: which proxy, and whose certificates; as the system says when None.
        """
        self._way = way or Way()
        self._clients: dict[Endpoint, httpx2.AsyncClient] = {}
        self._models: dict[tuple[Endpoint, str], ModelObject] = {}
        self._making = asyncio.Lock()
        self._quiet = _Quiet()

    async def say(
        self,
        model: Model,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        key: str = "",
        stream: bool = True,
    ) -> Reply:
        """Make one call, whatever comes of it.

        Args:
            model: and where it is.
            messages: the conversation so far; the last one is the person's.
            sampling: what is asked of the sampler.
            key: the endpoint's; empty where none is needed.
            stream: have the reply come in pieces, so that the time to the first is known.

        Raises:
            LlmFault: of every class but UNSUPPORTED_PROVIDER.
            NotLocal: nothing may be sent there now.
        """
        endpoint = model.endpoint
        locality.check(endpoint, model.name)
        if endpoint.key_name and not key and not endpoint.is_local:
            raise missing_key(endpoint)
        call = Call(key=key)
        token = current_call.set(call)
        try:
            from desktop.jobs.llm.replies import reply_of

            spoken_to = await self._model_object(model)
            names = {"gen_ai.request.model": model.name, "deskhand.endpoint": endpoint.name}
            with self._quiet.kept(), timed("model call", names, sort="client"):
                async with asyncio.timeout(endpoint.timeout_seconds):
                    response = await self._ask(model, spoken_to, messages, sampling, stream=stream)
            has_tools = isinstance(sampling, ToolSampling)
            return reply_of(endpoint, messages, response, call, has_tools=has_tools)
        except LlmFault:
            raise
        except Exception as error:
            # Whatever a library raises is a fault of the call. It is not chained: a library's error
            # has the request in it, and that has the key.
            raise _fault_of(endpoint, call, error) from None
        finally:
            current_call.reset(token)

    async def aclose(self) -> None:
        """Close all connections."""
        clients, self._clients = list(self._clients.values()), {}
        self._models.clear()
        for client in clients:
            await client.aclose()

    async def _ask(
        self,
        model: Model,
        spoken_to: ModelObject,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        stream: bool,
    ) -> ModelResponse:
        from pydantic_ai.direct import model_request, model_request_stream

        from desktop.jobs.llm.dialects import conversation, parameters, settings

        said = conversation(messages)
        wishes = settings(model.endpoint, sampling)
        wanted = parameters(spoken_to, sampling)
        call = current_call.get()
        call.began = time.perf_counter()
        if not stream:
            return await model_request(
                spoken_to,
                said,
                model_settings=wishes,
                model_request_parameters=wanted,
                instrument=False,
            )
        async with model_request_stream(
            spoken_to,
            said,
            model_settings=wishes,
            model_request_parameters=wanted,
            instrument=False,
        ) as coming:
            async for _event in coming:
                if call.first_token_ms is None and call.is_stream:
                    call.first_token_ms = call.elapsed_ms()
            return coming.get()

    async def _model_object(self, model: Model) -> ModelObject:
        made = self._models.get((model.endpoint, model.name))
        if made is not None:
            return made
        async with self._making:
            made = self._models.get((model.endpoint, model.name))
            if made is None:
                if len(self._models) >= MODELS_KEPT_MAX:
                    self._models.clear()
                # Imports of seconds, and certificates from the disk: others speak on meanwhile.
                made = await asyncio.to_thread(self._make, model)
                self._models[model.endpoint, model.name] = made
        return made

    def _make(self, model: Model) -> ModelObject:
        load(model.endpoint.format)
        from desktop.jobs.llm.dialects import model_object

        client = self._clients.get(model.endpoint)
        if client is None:
            client = self._clients[model.endpoint] = client_for(model.endpoint, self._way)
        return model_object(model, client)


class _Quiet:
    """No warning of a library's about a parameter that it left out may end a call.

    What was left out shows in what was sent. Filters are the process's, so they are kept while any
    call is under way.
    """

    def __init__(self) -> None:
        self._count = 0
        self._stack = contextlib.ExitStack()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        if self._count == 0:
            self._stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            if self._count == 0:
                self._stack.close()


def _fault_of(endpoint: Endpoint, call: Call, error: Exception) -> LlmFault:
    found = _ours(error)
    if found is not None:
        return found
    secrets = (call.key,)
    if call.status is not None and call.status >= 400:
        answer = Answer(status=call.status, headers=call.headers, body=call.error or b"")
        return fault_of_answer(endpoint, answer, now=datetime.now(UTC), secrets=secrets)
    if isinstance(error, TimeoutError):
        return fault_of_break(endpoint, Break.ANSWER_TIMEOUT)
    told = _told_in_stream(error) if call.status is not None else b""
    if told:
        answer = Answer(status=None, headers=call.headers, body=told)
        return fault_of_answer(endpoint, answer, now=datetime.now(UTC), secrets=secrets)
    kind = break_of(error)
    if kind is not None:
        return fault_of_break(endpoint, kind)
    return _unforeseen(endpoint, call, error)


def _unforeseen(endpoint: Endpoint, call: Call, error: Exception) -> LlmFault:
    """Tell an error that no rule knows; where it came from is for whoever mends it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    log.warning("call broke", endpoint=endpoint.name, error=type(error).__name__, place=place)
    if call.status is None:
        return LlmFault(
            FaultClass.BAD_REQUEST,
            f"'{endpoint.name}' cannot be asked like this ({type(error).__name__}).",
            "Check the model's name and the options of the scenario.",
            endpoint=endpoint.name,
        )
    what = f"it is not in {endpoint.format}'s format"
    return invalid_response(endpoint, what, status=call.status, request_id=call.request_id)


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


def _ours(error: BaseException) -> LlmFault | None:
    """Find the fault that was raised on the wire, below a library's words about it."""
    return next((one for one in _chain(error) if isinstance(one, LlmFault)), None)


def _told_in_stream(error: BaseException) -> bytes:
    """Find the body of an error that came inside a stream which had begun well."""
    for one in _chain(error):
        body = getattr(one, "body", None)
        if isinstance(body, dict) and body:
            return json.dumps({"error": body} if "error" not in body else body).encode()
    return b""
