"""The tray app, put together: one loop for Qt and asyncio, the desk, the tray, the windows.

A window is imported when it is first opened and kept afterwards. Whatever ends the program goes
through `Application.quit`.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

import qasync
import structlog
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QWidget

from desktop.core.news import News
from desktop.core.pair_link import is_link
from desktop.desk.control_desk import ControlDesk
from desktop.desk.desk import Desk
from desktop.gui import icons, language, telling
from desktop.gui.bridge import Bridge
from desktop.gui.collector import Collector, collect_if_due
from desktop.gui.language import tr, trn
from desktop.gui.notices import Notices
from desktop.gui.style import Style
from desktop.gui.tray import Tray
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.control import ControlLine
from desktop.system.paths import Paths
from desktop.system.program import NAME, version
from desktop.system.single_instance import InstanceLock
from shared.errors import AppError

log = structlog.get_logger(__name__)

NEVER_HERE = ("pandas", "numpy")
"""What one library would draw in where it is installed: four times this program's memory."""


class Ended(Exception):
    """The person, or the system, ends the program."""


class Application(QObject):
    """Windows by name, and what happens between them."""

    def __init__(self, app: QApplication, desk: Desk, bridge: Bridge, style: Style) -> None:
        super().__init__(app)
        self._app = app
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
        self.tray.quits.connect(self.ask_to_quit)
        self.tray.missing.connect(self._stand_in)
        bridge.hears(self, News.SETTINGS, then=self._look_at_safe)
        app.installEventFilter(self)

    def open(self, name: str, item: str = "") -> None:
        """Show a window in front of the others, and something in it.

        Args:
            name: "chat", "jobs", "models", "settings" or "pairing"; empty for the last one used.
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
        if item:
            window.show_item(item)  # type: ignore[attr-defined]
        if name != "pairing":
            self.tray.last_window = name

    def follow(self, given: str) -> None:
        """Do what was named when the program was started: open a link, or just a window."""
        if is_link(given):
            self.open("pairing", given)
        elif self._desk.pairing is None:
            self.open("pairing")
        else:
            self.open("")

    def ask_to_quit(self) -> None:
        """End the program, after a question when jobs would be cut off."""
        running = self._desk.running_count
        if running:
            told = trn(
                "{count} job is running. It is stopped when you quit.",
                "{count} jobs are running. They are stopped when you quit.",
                running,
            )
            box = QMessageBox(QMessageBox.Icon.Question, tr("Quit Deskhand?"), told)
            box.setInformativeText(tr("What can be repeated starts again with the program."))
            leave = box.addButton(tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
            stay = box.addButton(tr("Stay"), QMessageBox.ButtonRole.RejectRole)
            box.setDefaultButton(stay)
            box.setEscapeButton(stay)
            box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            box.setWindowIcon(icons.app_icon())
            leave.clicked.connect(self.quit)
            # Not `exec`: that loop would stand still within ours.
            box.open()
        else:
            self.quit()

    def quit(self) -> None:
        self.ended.set()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take links that macOS hands to the running program."""
        if event.type() is QEvent.Type.FileOpen:
            self.follow(event.url().toString())  # type: ignore[attr-defined]
            return True
        return super().eventFilter(watched, event)

    def _window(self, name: str) -> QWidget:
        if name not in self._windows:
            try:
                module = importlib.import_module(f"desktop.gui.windows.{name}")
                window: QWidget = module.make(self._bridge, self._style)
            except ModuleNotFoundError:
                window = QLabel(tr("This window is not a part of this build."))
            window.setWindowTitle(f"{telling.window_titles()[name]} – Deskhand")
            window.setWindowIcon(icons.app_icon())
            self._windows[name] = window
        return self._windows[name]

    def _tell(self, error: AppError) -> None:
        """Show an error that no window took."""
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
        self.open("chat" if self._desk.pairing else "pairing")
        banner = getattr(self._windows.get("chat"), "banner", None)
        if banner is not None:
            banner.tell(
                tr(
                    "This desktop shows no tray icons, so this window stands in for it. On GNOME "
                    "the extension “AppIndicator Support” brings them back."
                )
            )


def run(paths: Paths, given: str = "", *, is_background: bool = False) -> int:
    """Run the tray app until it is quit; return the exit code.

    Args:
        paths: of the profile.
        given: a `deskhand://` link to follow, or nothing.
        is_background: started at login: no window opens by itself.

    Raises:
        Conflict: `already_running`.
    """
    for name in NEVER_HERE:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    paths.make()
    with InstanceLock(paths.lock), open_store(paths.store) as database:
        crashes = paths.crash_log.open("w", encoding="utf-8")
        faulthandler.enable(crashes)
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
        try:
            with loop:
                loop.run_until_complete(_live(app, desk, style, given, is_background=is_background))
        finally:
            sys.excepthook = sys.__excepthook__
            collector.close()
            desk.close()
            faulthandler.disable()
            crashes.close()
    return 0


async def _live(
    app: QApplication, desk: Desk, style: Style, given: str, *, is_background: bool
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
            sys.excepthook = _crash_hook(application)
            tasks.create_task(desk.run())
            if not is_background or desk.pairing is None:
                application.follow(given)
            async with ControlLine(desk.paths.control, control.handlers).serving():
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


def _crash_hook(
    application: Application,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def crashed(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        """Tell of a fault in a slot of Qt's; the program goes on."""
        log.error("fault in the windows", exc_info=(kind, error, traceback))
        application.notices.tell(
            tr("Deskhand met a fault of its own"),
            tr("{error}. It is in the log; “deskhand doctor” helps to report it.").format(
                error=kind.__name__
            ),
            "settings",
            "diagnostics",
        )

    return crashed
