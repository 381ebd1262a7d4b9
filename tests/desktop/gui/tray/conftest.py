"""One session (bus, screen, panel, hub, program) serves many tests of one screen system."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.paths import find_paths
from tests.desktop.gui.tray.panel import Panel, Thread
from tests.desktop.gui.tray.programs import App, a_bus, a_screen, a_wayland, plain
from tests.desktop.gui.world import HERE
from tests.desktop.link.hub_double import HubDouble


@dataclass
class Session:
    """Everything around a running program."""

    thread: Thread
    hub: HubDouble
    address: str
    panel: Panel
    app: App

    def paired(self) -> None:
        """Write into the profile that this computer belongs to the hub."""
        paths = find_paths(self.app.home)
        paths.make()
        pairing = Pairing(
            hub_url=self.hub.base, worker_id=HERE, worker_name="anna-pc",
            hub_name="Anna's hub", person_name="Anna",
        )  # fmt: skip
        with open_store(paths.store) as database:
            database.submit(lambda c: facts.save_pairing(c, pairing)).result()
        paths.token.write_text("dh_worker_x_" + "s" * 43, encoding="utf-8")
        paths.token.chmod(0o600)


@contextlib.contextmanager
def a_session(system: str) -> Iterator[Session]:
    """A session of a screen system, "xcb" or "wayland"; nothing of Deskhand's runs in it yet."""
    folder = Path(tempfile.mkdtemp(prefix="desk"))
    thread = Thread()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(thread.close)
        address = stack.enter_context(a_bus())
        screen = a_screen(address) if system == "xcb" else a_wayland(_made(folder / "run"), address)
        variables = stack.enter_context(screen)
        hub = HubDouble()
        serving = hub.serving()
        thread.call(serving.__aenter__())
        stack.callback(lambda: thread.call(serving.__aexit__(None, None, None)))
        panel = Panel(thread, address)
        stack.callback(panel.go)
        app = App(_made(folder / "home"), {**plain(address), **variables})
        stack.callback(app.stop)
        yield Session(thread=thread, hub=hub, address=address, panel=panel, app=app)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="package", params=["xcb", "wayland"])
def desk(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A paired program that is online, with a panel and a notification server. Shared: each test
    leaves it idle."""
    with a_session(request.param) as session:
        session.paired()
        session.panel.come()
        session.panel.take_notices()
        session.app.start("--background")
        session.panel.until_icon()
        session.panel.until_tooltip("Ready")
        yield session
        session.app.stop()
        assert session.app.complaints == []


@pytest.fixture
def xcb() -> Iterator[Session]:
    """A session of its own for a test that takes things apart."""
    with a_session("xcb") as session:
        session.paired()
        yield session
