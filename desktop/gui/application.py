"""The tray app, put together: one loop for Qt and asyncio, the desk, the tray, the windows.

A window is imported when it is first opened and kept afterwards. Whatever ends the program goes
through `Application.quit`.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from contextlib import suppress

import qasync
import structlog
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QSystemTrayIcon, QWidget

from desktop.core.news import News
from desktop.core.pair_link import is_link
from desktop.desk.control_desk import ControlDesk
from desktop.desk.desk import Desk
from desktop.gui import boxes, crashes, icons, language, links, telling
from desktop.gui.bridge import Bridge
from desktop.gui.collector import Collector, collect_if_due
from desktop.gui.language import tr
from desktop.gui.notices import Notices
from desktop.gui.style import Style
from desktop.gui.tray import Tray
from desktop.store import facts
from desktop.store.salvage import open_own_store
from desktop.system.control_line import ControlLine
from desktop.system.paths import Paths
from desktop.system.program import NAME, version
from desktop.system.single_instance import InstanceLock
from shared.environment import Environment
from shared.errors import AppError

log = structlog.get_logger(__name__)

WINDOWS = "desktop.gui.windows"
EXIT_FAULT = 70
"""EX_SOFTWARE of sysexits.h."""


class Ended(Exception):
    """The person, or the system, ends the program."""


class Application(QObject):
    """Windows by name, and what happens between them."""

    def __init__(self, app: QApplication, desk: Desk, bridge: Bridge, style: Style) -> None:
        super().__init__(app)
        self._desk = desk
        self._style = style
        self._windows: dict[str, QWidget] = {}
        self._safe_told = ""
        """The code of the trouble with the system's safe that was told last."""
        self.ended = asyncio.Event()
        self._bridge = bridge
        self.tray = Tray(bridge, style)
        self.notices = Notices(bridge, self.open, self.tray.tell)
        bridge.opened.connect(self.open)
        bridge.failed.connect(self._tell)
        self.tray.wants.connect(self.open)
        self.tray.menu.quits.connect(self.ask_to_quit)
        self.tray.missing.connect(self._stand_in)
        bridge.hears(self, News.SETTINGS, then=self._look_at_safe)
        app.lastWindowClosed.connect(self._closed)
        if sys.platform == "darwin":
            app.installEventFilter(self)

    def open(self, name: str, item: str = "") -> None:
        """Show a window in front of the others, and something in it.

        Args:
            name: "chat", "jobs", "models", "runs", "change", "settings" or "pairing"; empty for
                the last one used.
            item: an id or a section of the window's own; empty to leave it as it is.
        """
        name = name or self.tray.last_window
        if name not in telling.window_titles():
            return
        window = self._window(name)
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        if item and hasattr(window, "show_item"):
            window.show_item(item)
        if name not in ("pairing", "change"):
            self.tray.last_window = name

    def follow(self, given: str) -> None:
        """Do what was named when the program was started: open a link, or just a window."""
        if is_link(given):
            self.open("pairing", given)
        elif self._desk.pairing is None:
            self.open("pairing")
        else:
            self.open("")

    def report(self) -> None:
        """Open what writes a report of how this program is."""
        self.open("settings", "diagnostics")

    def ask_to_quit(self) -> None:
        """End the program, after a question when jobs would be cut off."""
        if self._desk.running_count:
            boxes.ask_to_quit(self._desk.running_count, self.quit, self._stay)
        else:
            self.quit()

    def quit(self) -> None:
        self.ended.set()

    def _stay(self) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable():
            self.open("")

    def tell_of_crash(self) -> None:
        """Say that the program was killed by a fault the last time."""
        self.notices.tell(
            tr("Deskhand ended by a fault the last time"),
            tr("A report helps to mend it: click to make one."),
            "settings",
            "diagnostics",
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take links that macOS hands to the running program."""
        if event.type() is QEvent.Type.FileOpen:
            self.follow(event.url().toString())  # type: ignore[attr-defined]
            return True
        return super().eventFilter(watched, event)

    def _window(self, name: str) -> QWidget:
        if name not in self._windows:
            window = self._make(name)
            window.setWindowTitle(f"{telling.window_titles()[name]} – Deskhand")
            window.setWindowIcon(icons.app_icon())
            self._windows[name] = window
        return self._windows[name]

    def _make(self, name: str) -> QWidget:
        path = f"{WINDOWS}.{name}"
        try:
            module = importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
            return QLabel(tr("This window is not a part of this build."))
        window: QWidget = module.make(self._bridge, self._style)
        return window

    def _tell(self, error: AppError) -> None:
        """Show an error that no window took: where the person looks, or as a notification."""
        banner = getattr(QApplication.activeWindow(), "banner", None)
        if banner is not None:
            banner.tell(error)
        else:
            self.notices.tell(error.message, error.hint)

    def _look_at_safe(self) -> None:
        """Tell once that secrets lie in files because the system's safe cannot be used."""
        trouble = self._desk.safe.trouble
        code = trouble.code if trouble else ""
        if code == self._safe_told:
            return
        self._safe_told = code
        if trouble is None:
            return
        self.notices.tell(trouble.message, trouble.hint, "settings", "keys")
        for window in self._windows.values():
            banner = getattr(window, "banner", None)
            if banner is not None:
                banner.tell(AppError.from_body(trouble))

    def _stand_in(self) -> None:
        """There is no tray: open a window, so that the program can be seen at all."""
        log.info("no tray here; a window stands in")
        if any(window.isVisible() for window in self._windows.values()):
            return
        name = "chat" if self._desk.pairing else "pairing"
        self.open(name)
        banner = getattr(self._windows[name], "banner", None)
        if banner is not None:
            banner.tell(
                tr(
                    "This desktop shows no tray icons, so this window stands in for it. On GNOME "
                    "the extension “AppIndicator Support” brings them back."
                )
            )

    def _closed(self) -> None:
        """End with the last window where no tray would keep the program in sight."""
        if QSystemTrayIcon.isSystemTrayAvailable() or self.ended.is_set():
            return
        if self._desk.pairing is not None and not self._windows.keys() - {"pairing"}:
            self.open("")  # the assistant has done its work
        else:
            self.ask_to_quit()


def run(paths: Paths, given: str = "", *, is_background: bool = False) -> int:
    """Run the tray app until it is quit; return the exit code.

    Args:
        paths: of the profile.
        given: a `deskhand://` link to follow, or nothing.
        is_background: started at login: no window opens by itself.

    Raises:
        Conflict: `already_running`.
    """
    paths.make()
    with (
        InstanceLock(paths.lock),
        open_own_store(paths.store) as database,
        crashes.last_words(paths.crash_log, Environment().now()) as has_crashed,
    ):
        chosen = database.submit(
            lambda c: (facts.get(c, "language"), facts.get(c, "scheme", "system"))
        ).result()
        language.choose(chosen[0])
        app = _qt()
        style = Style(app, chosen[1])
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        # This loop brings no hooks of its own, and an iterator of ours would be closed too late.
        sys.set_asyncgen_hooks(loop._asyncgen_firstiter_hook, loop._asyncgen_finalizer_hook)  # noqa: SLF001
        desk = Desk(paths, database)
        collector = Collector()
        living = _live(
            app, desk, style, given, is_background=is_background, has_crashed=has_crashed
        )
        try:
            with loop:
                loop.run_until_complete(living)
        except Exception as fault:
            log.exception("the program ended by a fault")
            boxes.tell_fault(type(fault), fault, fault.__traceback__).exec()
            return EXIT_FAULT
        finally:
            collector.close()
            desk.close()
    return 0


async def _live(
    app: QApplication,
    desk: Desk,
    style: Style,
    given: str,
    *,
    is_background: bool,
    has_crashed: bool,
) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            bridge = Bridge(desk, tasks)
            bridge.news.connect(lambda _news: collect_if_due())
            desk.pairing = await desk.database.read(facts.pairing)
            application = Application(app, desk, bridge, style)
            control = ControlDesk(desk)
            control.opener = lambda name, item: (
                application.follow(item) if is_link(item) else application.open(name, item)
            )
            control.quitter = application.quit
            _heed_signals(application)
            tasks.create_task(desk.run())
            tasks.create_task(links.register(desk))
            if not is_background or desk.pairing is None:
                application.follow(given)
            if has_crashed:
                application.tell_of_crash()
            serving = ControlLine(desk.paths.control, control.handlers).serving()
            with crashes.shown(application.report):
                async with serving:
                    await application.ended.wait()
            raise Ended  # noqa: TRY301 - it takes all tasks along
    except* Ended:
        pass
    app.closeAllWindows()


def _qt() -> QApplication:
    """Make Qt's application, named as desktops know it."""
    app = QApplication([NAME])
    app.setApplicationName(NAME)
    app.setApplicationDisplayName("Deskhand")
    app.setApplicationVersion(version())
    QGuiApplication.setDesktopFileName(NAME)
    app.setWindowIcon(icons.app_icon())
    app.setQuitOnLastWindowClosed(False)
    return app


def _heed_signals(application: Application) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError):  # Windows' loop has none
            asyncio.get_running_loop().add_signal_handler(number, application.quit)
