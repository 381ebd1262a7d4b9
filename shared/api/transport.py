"""One hub's API over HTTP, with one key: requests out, answers and problems in.

The standard library is enough, so that a command line starts at once.
"""

from __future__ import annotations

import contextlib
import errno
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from shared.api.problem import MEDIA_TYPE, Problem
from shared.errors import (
    AppError,
    BadInput,
    Conflict,
    LimitReached,
    NotAllowed,
    NotFound,
    Unavailable,
)
from shared.kinds import file_name_of

CALL_SECONDS = 10.0
ANSWER_BYTES_MAX = 8 * 1024 * 1024
COPIES_MAX = 1000
BLOCK_BYTES = 256 * 1024
LINE_BYTES_MAX = 1024 * 1024
PREFIX = "/api/v1"
NOTHING = 204

Query = Mapping[str, object]
"""By name; None is left out, a list is said once for each of its values."""
ShownT = TypeVar("ShownT", bound=BaseModel)
ERRORS: Mapping[int, type[AppError]] = {
    400: BadInput,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    413: LimitReached,
    422: BadInput,
    428: Conflict,
    429: LimitReached,
    503: Unavailable,
}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An API does not move; following would show the key to whoever is named."""

    def redirect_request(self, *_: object) -> None:
        return None


class Transport:
    """Sends requests to one hub."""

    def __init__(self, hub_url: str, key: str) -> None:
        self.hub_url = checked_url(hub_url)
        self._key = key

    def ask(
        self,
        answer: type[ShownT],
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> ShownT:
        """Call, and read the answer as its type.

        Raises:
            Unavailable: `hub_unreachable`, `hub_unknown`.
            AppError: whatever problem the hub answers with.
        """
        told = self.ask_maybe(
            answer, method, path, body=body, query=query, headers=headers, seconds=seconds
        )
        if told is None:
            raise hub_unknown()
        return told

    def ask_maybe(
        self,
        answer: type[ShownT],
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> ShownT | None:
        """Call, and read the answer as its type; None when there is none (204).

        Raises:
            AppError: as `ask`.
        """
        with self.opened(
            method, path, body=body, query=query, headers=headers, seconds=seconds
        ) as response:
            if response.status == NOTHING:
                return None
            try:
                return answer.model_validate_json(response.read(ANSWER_BYTES_MAX))
            except ValidationError:
                raise hub_unknown() from None

    def do(self, method: str, path: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Call; the answer has no body.

        Raises:
            AppError: as `ask`.
        """
        with self.opened(method, path, headers=headers):
            pass

    def lines(
        self, path: str, *, query: Query | None, headers: Mapping[str, str], seconds: float
    ) -> Iterator[str]:
        """Read an answer that goes on, line by line.

        Raises:
            Unavailable: `hub_unreachable`, also when it ends in the middle.
            AppError: as `ask`.
        """
        with self.opened("GET", path, query=query, headers=headers, seconds=seconds) as answer:
            try:
                while line := answer.readline(LINE_BYTES_MAX):
                    yield line.decode().rstrip("\r\n")
            except (OSError, HTTPException):
                raise hub_unreachable(self.hub_url) from None

    def save(self, path: str, folder: Path, name: str) -> Path:
        """Save an answer's body in a folder; nothing there is overwritten.

        Raises:
            NotAllowed: `folder_unusable`.
            AppError: as `ask`.
        """
        with self.opened("GET", path) as answer:
            told = answer.headers.get_filename() or name
            try:
                return _saved(answer, folder, file_name_of(told))
            except OSError as error:
                raise NotAllowed(
                    "folder_unusable",
                    f"The file cannot be saved in {folder}: {error.strerror or error}.",
                    "Name another folder with -o.",
                ) from None

    @contextlib.contextmanager
    def opened(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Generator[HTTPResponse]:
        """Call; inside the block the answer can be read."""
        # The scheme was checked in __init__: no file: or other address gets here.
        request = urllib.request.Request(  # noqa: S310
            f"{self.hub_url}{PREFIX}{path}{_query(query or {})}",
            method=method,
            data=None if body is None else body.model_dump_json(exclude_unset=True).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._key}",
                **(headers or {}),
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
        try:
            with opener.open(request, timeout=seconds) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            # The error is the answer, too, and holds its connection open until closed.
            with error:
                raise _problem(error) from None
        except (OSError, HTTPException):
            raise hub_unreachable(self.hub_url) from None


def checked_url(hub_url: str) -> str:
    """Tidy the address of a hub.

    Raises:
        BadInput: `hub_url_invalid`.
    """
    if not hub_url.startswith(("http://", "https://")):
        raise BadInput(
            "hub_url_invalid",
            f"'{hub_url[:200]}' is no address of a hub.",
            "It starts with http:// or https://.",
        )
    return hub_url.rstrip("/")


def hub_unreachable(hub_url: str) -> Unavailable:
    return Unavailable(
        "hub_unreachable",
        f"No hub answers at {hub_url}.",
        "Start one with `deskhand-hub serve`, or name another with --hub.",
        retryable=True,
    )


def hub_unknown() -> Unavailable:
    return Unavailable(
        "hub_unknown",
        "Whatever answers there is no hub of this version.",
        "Check the address, and update the older of the two.",
    )


def _query(query: Query) -> str:
    pairs = [
        (name, _spelled(one))
        for name, value in query.items()
        for one in (value if isinstance(value, list | tuple) else (value,))
        if one not in (None, "")
    ]
    return f"?{urlencode(pairs)}" if pairs else ""


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(error: urllib.error.HTTPError) -> AppError:
    if error.headers.get_content_type() != MEDIA_TYPE:
        return hub_unknown()
    try:
        problem = Problem.model_validate_json(error.read(ANSWER_BYTES_MAX))
    except (ValidationError, OSError, HTTPException):
        return hub_unknown()
    wait = error.headers.get("Retry-After", "")
    return ERRORS.get(problem.status, AppError)(
        problem.code,
        problem.detail,
        problem.hint,
        retry_after_seconds=float(wait) if wait.isdigit() else None,
    )


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
