"""Calls the REST API of a hub, for the hub's own commands. The standard library is enough."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException

from pydantic import JsonValue, ValidationError

from hub.frontends.api.problem import MEDIA_TYPE, Problem
from hub.frontends.console_client import checked_url, hub_unreachable
from shared.errors import AppError, Unavailable

CALL_SECONDS = 10.0
ANSWER_BYTES_MAX = 8 * 1024 * 1024


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An API does not move; following would show the key to whoever is named."""

    def redirect_request(self, *_: object) -> None:
        return None


class RestClient:
    """One hub's API, with one key."""

    def __init__(self, hub_url: str, key: str = "") -> None:
        self.hub_url = checked_url(hub_url)
        self._key = key

    def get(self, path: str) -> dict[str, JsonValue]:
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, JsonValue] | None = None) -> dict[str, JsonValue]:
        return self._call("POST", path, body)

    def _call(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> dict[str, JsonValue]:
        """Call.

        Raises:
            Unavailable: `hub_unreachable`, `hub_unknown`.
            AppError: whatever problem the hub answers with.
        """
        # The scheme was checked in __init__: no file: or other address gets here.
        request = urllib.request.Request(  # noqa: S310
            f"{self.hub_url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
        try:
            with opener.open(request, timeout=CALL_SECONDS) as answer:
                return _object(answer.read(ANSWER_BYTES_MAX))
        except urllib.error.HTTPError as error:
            # The error is the answer, too, and holds its connection open until closed.
            with error:
                raise _problem(error) from None
        except (OSError, HTTPException):
            raise hub_unreachable(self.hub_url) from None


def _object(body: bytes) -> dict[str, JsonValue]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise _unknown() from None
    if not isinstance(answer, dict):
        raise _unknown()
    return answer


def _problem(error: urllib.error.HTTPError) -> AppError:
    if error.headers.get_content_type() != MEDIA_TYPE:
        return _unknown()
    try:
        problem = Problem.model_validate_json(error.read(ANSWER_BYTES_MAX))
    except ValidationError:
        return _unknown()
    return AppError(problem.code, problem.detail, problem.hint)


def _unknown() -> Unavailable:
    return Unavailable(
        "hub_unknown",
        "Whatever answers there is no hub of this version.",
        "Check the address, and update the older of the two.",
    )
