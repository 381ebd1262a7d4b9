"""Where frontends come from: the hub's own by name, others' by the entry-point group.

Nothing is imported here before it is wanted: a library of a frontend that is not used costs
neither time nor memory, and one that is broken harms nobody but itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from hub.ports import Frontend, FrontendSetup
from shared.errors import AppError, BadInput, Unavailable

GROUP = "deskhand.frontends"
BUILT_IN: Mapping[str, str] = {
    "telegram": "hub.frontends.telegram:make",
    "matrix": "hub.frontends.matrix:make",
    "discord": "hub.frontends.discord:make",
    "sms": "hub.frontends.sms:make",
}
"""Name -> "module:function"."""
NEEDED: Mapping[str, str] = {
    "telegram": "token",
    "matrix": "homeserver",
    "discord": "token",
    "sms": "token",
}
"""The setting without which one of the hub's own is not even looked at."""
TAKEN = frozenset({"console", "api", "hub", "web"}) | BUILT_IN.keys()
"""Names that no plug-in may have."""
MAKE_SECONDS = 60.0
"""How long importing and making a frontend may take."""

Make = Callable[[FrontendSetup], Frontend | None]


@dataclass(frozen=True, slots=True)
class Maker:
    """How to get a frontend."""

    name: str
    load: Callable[[], Make]
    """Imports what makes it; may raise anything."""
    source: str
    """Where it comes from, as the operator knows it."""


def built_in(name: str) -> Maker:
    """One of the hub's own."""
    module, _, function = BUILT_IN[name].partition(":")

    def load() -> Make:
        make: Make = getattr(importlib.import_module(module), function)
        return make

    return Maker(name, load, "Deskhand")


def plug_ins() -> list[Maker]:
    """Frontends of other distributions that are installed here."""
    found: dict[str, Maker] = {}
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else point.value
        if point.name in found:
            found[point.name] = Maker(point.name, _refusal(point.name), package)
        elif point.name in TAKEN or not _is_name(point.name):
            # Under another name, so that it does not hide the frontend that has this one.
            found[f"{package}:{point.name}"] = Maker(
                f"{package}:{point.name}", _refusal(point.name), package
            )
        else:
            found[point.name] = Maker(point.name, _loading(point), package)
    return list(found.values())


def _loading(point: EntryPoint) -> Callable[[], Make]:
    def load() -> Make:
        make: Make = point.load()
        return make

    return load


def _refusal(name: str) -> Callable[[], Make]:
    def load() -> Make:
        raise BadInput(
            "frontend_name_taken",
            f"The frontend name '{name[:40]}' is taken, or is none: a-z, 0-9 and _ make one.",
            f"Its author has to choose another name in the group {GROUP}.",
        )

    return load


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier() and name == name.lower()


def settings_of(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """A plug-in's own variables, HUB_<NAME>_*: without that prefix, in lower case."""
    prefix = f"HUB_{name.upper()}_"
    return {
        variable.removeprefix(prefix).lower(): value
        for variable, value in environ.items()
        if variable.startswith(prefix)
    }


async def made(maker: Maker, setup: FrontendSetup) -> Frontend | None:
    """Import and make a frontend, in a thread of its own: neither may hold up the hub.

    Raises:
        Exception: whatever the frontend raises.
        Unavailable: `frontend_slow`, `frontend_quit`.
        BadInput: `frontend_misnamed`.
    """
    frontend = await _in_thread(lambda: maker.load()(setup), maker.name)
    if frontend is not None and frontend.name != maker.name:
        raise BadInput(
            "frontend_misnamed",
            f"The frontend '{maker.name}' calls itself '{frontend.name!s:.40}'.",
            "Its author has to give both the same name.",
        )
    return frontend


async def _in_thread(run: Callable[[], Frontend | None], name: str) -> Frontend | None:
    """Run what may hang: a daemon thread does not keep the hub from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Frontend | None] = loop.create_future()

    def settle(frontend: Frontend | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(frontend)

    def work() -> None:
        frontend, error = None, None
        try:
            frontend = run()
        except Exception as raised:
            error = raised
        except BaseException as raised:
            error = quit_error(raised)
        # The loop may be gone by now.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, frontend, error)

    threading.Thread(target=work, name=f"frontend {name}", daemon=True).start()
    try:
        async with asyncio.timeout(MAKE_SECONDS):
            return await done
    except TimeoutError:
        raise Unavailable(
            "frontend_slow",
            f"It was not made within {MAKE_SECONDS:.0f} s.",
            "Its log, or its author, may know why.",
            retryable=True,
        ) from None


def quit_error(raised: BaseException) -> AppError:
    """What to tell of a frontend that tried to end the whole program."""
    return Unavailable(
        "frontend_quit",
        f"It tried to end the hub ({type(raised).__name__}).",
        "Its author has to raise an ordinary error instead.",
    )
