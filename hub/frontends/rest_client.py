"""Calls the REST API of a hub, for the hub's own commands. The standard library is enough."""

from __future__ import annotations

import contextlib
import errno
import json
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from pydantic import JsonValue, ValidationError

from hub.frontends.console_client import checked_url, hub_unreachable
from shared.api.problem import MEDIA_TYPE, Problem
from shared.errors import AppError, NotAllowed, Unavailable
from shared.kinds import file_name_of

CALL_SECONDS = 10.0
ANSWER_BYTES_MAX = 8 * 1024 * 1024
COPIES_MAX = 1000
BLOCK_BYTES = 256 * 1024


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

    def download(self, name: str, folder: Path) -> Path:
        """Fetch a file that waits for its person into a folder; nothing there is overwritten.

        Raises:
            NotAllowed: `folder_unusable`; else as `_call`.
        """
        request = self._request("GET", f"/files/{quote(name, safe='')}", None)
        with self._opened(request) as answer:
            told = answer.headers.get_filename() or name
            try:
                return _saved(answer, folder, file_name_of(told))
            except OSError as error:
                raise NotAllowed(
                    "folder_unusable",
                    f"The file cannot be saved in {folder}: {error.strerror or error}.",
                    "Name another folder with -o.",
                ) from None

    def _call(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> dict[str, JsonValue]:
        """Call.

        Raises:
            Unavailable: `hub_unreachable`, `hub_unknown`.
            AppError: whatever problem the hub answers with.
        """
        request = self._request(method, path, None if body is None else json.dumps(body).encode())
        with self._opened(request) as answer:
            return _object(answer.read(ANSWER_BYTES_MAX))

    def _request(self, method: str, path: str, data: bytes | None) -> urllib.request.Request:
        # The scheme was checked in __init__: no file: or other address gets here.
        return urllib.request.Request(  # noqa: S310
            f"{self.hub_url}/api/v1{path}",
            method=method,
            data=data,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"},
        )

    @contextlib.contextmanager
    def _opened(self, request: urllib.request.Request) -> Generator[HTTPResponse]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
        try:
            with opener.open(request, timeout=CALL_SECONDS) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            # The error is the answer, too, and holds its connection open until closed.
            with error:
                raise _problem(error) from None
        except (OSError, HTTPException):
            raise hub_unreachable(self.hub_url) from None


def _saved(answer: HTTPResponse, folder: Path, name: str) -> Path:
    for place in _places(folder, name):
        try:
            stream = place.open("xb")
        except FileExistsError:
            continue
        try:
            with stream:
                _copy(answer, stream)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
        return place
    raise FileExistsError(errno.EEXIST, "there are too many files of this name", str(folder))


def _copy(answer: HTTPResponse, stream: BinaryIO) -> None:
    """Copy the body; one that ends early is an error, although reading it is none."""
    left = int(answer.headers["Content-Length"] or 0)
    while left:
        try:
            block = answer.read(min(left, BLOCK_BYTES))
        except OSError as error:
            raise IncompleteRead(b"", left) from error
        if not block:
            raise IncompleteRead(b"", left)
        stream.write(block)
        left -= len(block)


def _places(folder: Path, name: str) -> Iterator[Path]:
    """The name, then the name with a number: "churn-2.csv"."""
    yield folder / name
    stem, dot, ending = name.partition(".")
    for number in range(2, COPIES_MAX + 1):
        yield folder / f"{stem}-{number}{dot}{ending}"


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
