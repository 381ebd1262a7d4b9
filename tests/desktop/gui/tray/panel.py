"""What stands on the other side of the tray: a StatusNotifier panel and a notification server.

Both speak real D-Bus in a thread of their own, so that plain tests can drive a real program.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dbus_fast import BusType, Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

T = TypeVar("T")
PATIENCE_SECONDS = 40.0
LOOK_SECONDS = 0.03
WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"


class Thread:
    """A loop in a thread; `call` runs a coroutine there and waits for it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], seconds: float = PATIENCE_SECONDS) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds + 1)

    def until(self, is_so: Callable[[], T | None], what: str = "it") -> T:
        """Wait until something is so, looked at in the thread; return it."""
        return self.call(self._until(is_so, what))

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    async def _until(self, is_so: Callable[[], T | None], what: str) -> T:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := is_so()):
                    await asyncio.sleep(LOOK_SECONDS)
                return found
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}") from None


class _Watcher(ServiceInterface):
    """The part of a panel where programs say that they have an icon."""

    def __init__(self, *, has_host: bool) -> None:
        super().__init__(WATCHER)
        self.items: list[str] = []
        self.has_host = has_host
        self.bus: MessageBus

    @dbus_method()
    def RegisterStatusNotifierItem(self, service: "s") -> None:  # type: ignore[name-defined]
        self.items.append(service)

    @dbus_method()
    def RegisterStatusNotifierHost(self, service: "s") -> None:  # type: ignore[name-defined]
        self.has_host = True

    @dbus_property(access=PropertyAccess.READ)
    def RegisteredStatusNotifierItems(self) -> "as":  # type: ignore[valid-type]
        return self.items

    @dbus_property(access=PropertyAccess.READ)
    def IsStatusNotifierHostRegistered(self) -> "b":  # type: ignore[name-defined]
        return self.has_host

    @dbus_property(access=PropertyAccess.READ)
    def ProtocolVersion(self) -> "i":  # type: ignore[name-defined]
        return 0

    @dbus_signal()
    def StatusNotifierHostRegistered(self) -> None:
        pass


@dataclass
class Shown:
    """One notification as it came."""

    number: int
    title: str
    text: str
    buttons: dict[str, str]
    """By label, the key that pressing it sends."""


@dataclass
class _Notices:
    shown: list[Shown] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)


class _Notifications(ServiceInterface):
    def __init__(self, notices: _Notices) -> None:
        super().__init__("org.freedesktop.Notifications")
        self._notices = notices

    @dbus_method()
    def Notify(
        self,
        app: "s",  # type: ignore[name-defined]
        replaces: "u",  # type: ignore[name-defined]
        icon: "s",  # type: ignore[name-defined]
        title: "s",  # type: ignore[name-defined]
        text: "s",  # type: ignore[name-defined]
        actions: "as",  # type: ignore[valid-type]
        hints: "a{sv}",  # type: ignore[valid-type]
        timeout: "i",  # type: ignore[name-defined]
    ) -> "u":  # type: ignore[name-defined]
        pairs = dict(zip(actions[1::2], actions[::2], strict=True))
        number = len(self._notices.shown) + 1
        self._notices.shown.append(Shown(number, title, text, pairs))
        return number

    @dbus_method()
    def CloseNotification(self, number: "u") -> None:  # type: ignore[name-defined]
        self._notices.closed.append(number)
        self.NotificationClosed(number, 3)

    @dbus_method()
    def GetCapabilities(self) -> "as":  # type: ignore[valid-type]
        return ["actions", "body"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":  # type: ignore[name-defined]
        return ["test", "test", "1", "1.2"]

    @dbus_signal()
    def ActionInvoked(self, number: int, key: str) -> "us":  # type: ignore[name-defined]
        return [number, key]

    @dbus_signal()
    def NotificationClosed(self, number: int, reason: int) -> "uu":  # type: ignore[name-defined]
        return [number, reason]


class _Login(ServiceInterface):
    """The part of logind that tells of sleep."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.login1.Manager")

    @dbus_signal()
    def PrepareForSleep(self, is_going_to: bool) -> "b":  # type: ignore[name-defined]
        return is_going_to


class Panel:
    """A desktop's panel: come, look at the icon, click on it, go."""

    def __init__(self, thread: Thread, address: str) -> None:
        self._thread = thread
        self._address = address
        self._bus: MessageBus | None = None
        self._watcher: _Watcher | None = None
        self._notes = _Notices()
        self._notifications = _Notifications(self._notes)
        self._notice_bus: MessageBus | None = None

    @property
    def notices(self) -> list[Shown]:
        return self._notes.shown

    @property
    def closed(self) -> list[int]:
        return self._notes.closed

    def come(self, *, has_host: bool = True) -> None:
        """Appear on the bus, without any memory of an earlier life."""
        self._thread.call(self._come(has_host=has_host))

    def go(self) -> None:
        """Vanish, as a panel that crashed."""
        self._thread.call(self._go())

    def host_comes(self) -> None:
        """Say that somebody shows the icons now."""
        assert self._watcher is not None
        self._watcher.has_host = True
        self._thread.loop.call_soon_threadsafe(self._watcher.StatusNotifierHostRegistered)

    def take_notices(self) -> None:
        """Be the notification server, too."""
        self._thread.call(self._serve_notices())

    def sleep_and_wake(self) -> None:
        """Tell of a sleep that is over at once, as logind does; the bus must be the system's."""
        login = self._thread.call(self._log_in())
        for is_going_to in (True, False):
            self._thread.loop.call_soon_threadsafe(login.PrepareForSleep, is_going_to)

    def press(self, notice: Shown, label: str) -> None:
        """Press a button of a notification."""
        key = notice.buttons[label]
        self._thread.loop.call_soon_threadsafe(
            lambda: self._notifications.ActionInvoked(notice.number, key)
        )

    @property
    def items(self) -> list[str]:
        """What was registered since this panel came."""
        return list(self._watcher.items) if self._watcher else []

    def until_icon(self, count: int = 1) -> str:
        """Wait until a program has registered; return its place on the bus."""
        self._thread.until(lambda: len(self.items) >= count, "an icon")
        return self.items[-1]

    def look(self) -> dict[str, Any]:
        """Read all that the icon tells of itself."""
        told = self._call("org.freedesktop.DBus.Properties", "GetAll", "s", [ITEM])
        return {name: value.value for name, value in told[0].items()}

    def until_tooltip(self, words: str) -> str:
        """Wait until the tooltip holds some words; return the whole of it."""
        text = ""

        async def look() -> str:
            nonlocal text
            async with asyncio.timeout(PATIENCE_SECONDS):
                while words not in text:
                    told = await self._send(
                        "org.freedesktop.DBus.Properties", "Get", "ss", [ITEM, "ToolTip"]
                    )
                    _, _, title, more = told[0].value
                    text = f"{title}\n{more}"
                    await asyncio.sleep(LOOK_SECONDS)
            return text

        try:
            return self._thread.call(look())
        except TimeoutError:
            raise AssertionError(f"no '{words}' in: {text}") from None

    def until_tooltip_of_new(self, words: str) -> str:
        """Wait for the icon of a program that starts, then as `until_tooltip`."""
        self.until_icon()
        return self.until_tooltip(words)

    def click(self) -> None:
        """Click on the icon."""
        self._call(ITEM, "Activate", "ii", [0, 0])

    def menu(self) -> dict[str, int]:
        """Read the menu, sub-menus included: numbers by label, without mnemonics."""
        path = self.look()["Menu"]
        layout = self._call(MENU, "GetLayout", "iias", [0, -1, []], path)[1]
        found: dict[str, int] = {}

        def walk(node: list[Any]) -> None:
            number, properties, children = node
            label = properties.get("label")
            if label is not None:
                found[label.value.replace("__", "\0").replace("_", "").replace("\0", "_")] = number
            for child in children:
                walk(child.value)

        walk(layout)
        return found

    def until_menu(self, words: str) -> str:
        """Wait until the menu has an entry with some words; return its label."""
        labels: list[str] = []

        def found() -> str | None:
            return next((label for label in labels if words in label), None)

        for _ in range(int(PATIENCE_SECONDS / 0.1)):
            labels = list(self.menu())
            if (label := found()) is not None:
                return label
            self._thread.call(asyncio.sleep(0.1))
        raise AssertionError(f"no '{words}' in {labels}")

    def choose(self, words: str) -> None:
        """Choose an entry of the menu."""
        label = self.until_menu(words)
        event = [self.menu()[label], "clicked", Variant("i", 0), 0]
        self._call(MENU, "Event", "isvu", event, self.look()["Menu"])

    def _call(
        self, interface: str, member: str, signature: str, body: list[Any], path: str = ""
    ) -> list[Any]:
        return self._thread.call(self._send(interface, member, signature, body, path))

    async def _send(
        self, interface: str, member: str, signature: str, body: list[Any], path: str = ""
    ) -> list[Any]:
        assert self._bus is not None
        service = self.items[-1]
        destination, slash, rest = service.partition("/")
        reply = await self._bus.call(
            Message(
                destination=destination,
                path=path or (f"/{rest}" if slash else "/StatusNotifierItem"),
                interface=interface,
                member=member,
                signature=signature,
                body=body,
            )
        )
        assert reply is not None
        assert reply.message_type is MessageType.METHOD_RETURN, reply.body
        return list(reply.body)

    async def _come(self, *, has_host: bool) -> None:
        self._bus = await MessageBus(self._address, BusType.SESSION).connect()
        self._watcher = _Watcher(has_host=has_host)
        self._bus.export("/StatusNotifierWatcher", self._watcher)
        await self._bus.request_name(WATCHER)

    async def _go(self) -> None:
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = self._watcher = None

    async def _log_in(self) -> _Login:
        bus = await MessageBus(self._address, BusType.SESSION).connect()
        login = _Login()
        bus.export("/org/freedesktop/login1", login)
        await bus.request_name("org.freedesktop.login1")
        return login

    async def _serve_notices(self) -> None:
        self._notice_bus = await MessageBus(self._address, BusType.SESSION).connect()
        self._notice_bus.export("/org/freedesktop/Notifications", self._notifications)
        await self._notice_bus.request_name("org.freedesktop.Notifications")
