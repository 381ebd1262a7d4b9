"""`deskhand --headless`: the worker without windows, until it is stopped or refused."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

from desktop.commands.worker import EXIT_OK, Refused, not_paired
from desktop.core.figures import Figures
from desktop.core.link import TOKEN_MISSING, LinkState, LinkStatus
from desktop.core.news import News
from desktop.desk.control_desk import ControlDesk
from desktop.desk.desk import Desk
from desktop.store import facts
from desktop.store.salvage import open_own_store
from desktop.system.control_line import ControlLine
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from desktop.system.program import version
from desktop.system.single_instance import InstanceLock
from desktop.system.status import sentence
from shared import logs
from shared.database import Database
from shared.errors import AppError
from shared.otel import exported
from shared.plain_text import plain_line


def headless(paths: Paths, *, json_logs: bool, debug: bool, metrics: str | None = None) -> int:
    """Run the worker until it is stopped or the hub refuses it.

    `metrics`: the address at which Prometheus may read its figures; None for nowhere.
    """
    logs.configure(json_lines=json_logs, level="DEBUG" if debug else "INFO")
    paths.make()
    with InstanceLock(paths.lock), open_own_store(paths.store) as database:
        pairing = database.submit(facts.pairing).result()
        if pairing is None:
            raise not_paired()
        load_policy(paths)  # one that is broken at the start is told at once, instead of idling
        names = {"service.instance.id": pairing.worker_id}
        with exported("deskhand-worker", version(), names):
            return asyncio.run(_work(paths, database, pairing, metrics))


async def _work(
    paths: Paths, database: Database, pairing: facts.Pairing, metrics: str | None
) -> int:
    desk = Desk(paths, database)
    serving = asyncio.ensure_future(desk.run())  # noqa: TID251 (signals cancel it from outside)
    teller = _Teller(desk, pairing, serving.cancel)
    desk.listeners.append(teller.note)
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers in the loop
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        async with (
            ControlLine(paths.control, ControlDesk(desk).handlers).serving(),
            _measured(metrics, lambda: desk.figures(teller.reconnects)),
        ):
            with contextlib.suppress(asyncio.CancelledError):
                await serving
    finally:
        desk.close()
    if desk.link is not None and desk.link.state is LinkState.REFUSED:
        raise _refused(desk.link)
    return EXIT_OK


@contextlib.asynccontextmanager
async def _measured(
    address: str | None, read: Callable[[], Awaitable[Figures]]
) -> AsyncIterator[None]:
    """Serve figures, if that is asked for; the library is imported then alone."""
    if address is None:
        yield
        return
    from desktop.system.metrics_page import serving

    async with serving(address, read):
        yield


class _Teller:
    """Tells the terminal how a worker's line is, and why nothing starts; stops what was refused."""

    def __init__(self, desk: Desk, pairing: facts.Pairing, stop: Callable[[], object]) -> None:
        self._desk = desk
        self._pairing = pairing
        self._stop = stop
        self._state: LinkState | None = None
        self._held = ""
        self._onlines = 0

    @property
    def reconnects(self) -> int:
        """How often the line came up again."""
        return max(0, self._onlines - 1)

    def note(self, _news: frozenset[News]) -> None:
        link, held = self._desk.link, self._desk.held_back
        if link is not None and link.state is not self._state:
            self._state = link.state
            self._onlines += link.state is LinkState.ONLINE
            if link.state is LinkState.REFUSED:  # that ends the program, and is told then
                self._stop()
                return
            print(plain_line(sentence(link, self._pairing)), flush=True)
        message = held.message if held else ""
        if message != self._held:
            self._held = message
            print(plain_line(message or "Jobs are taken again."), flush=True)


def _refused(link: LinkStatus) -> AppError:
    """Say why the worker cannot go on; a safe that is locked now opens one day."""
    assert link.error is not None
    if link.error.code == TOKEN_MISSING:
        return AppError.from_body(link.error)
    return Refused(link)
