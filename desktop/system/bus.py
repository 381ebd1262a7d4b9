"""D-Bus, asked from a thread: one connection, short questions, no service started for them."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from jeepney import DBusAddress, MessageFlag, MessageType, Properties, new_method_call
from jeepney.io.blocking import open_dbus_connection
from jeepney.low_level import Message


@dataclass(frozen=True, slots=True)
class Place:
    """Who is asked on the bus, and for which object."""

    name: str
    path: str
    interface: str

    @property
    def address(self) -> DBusAddress:
        return DBusAddress(self.path, bus_name=self.name, interface=self.interface)


DAEMON = Place("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class Bus:
    """An open connection; use it as a context, in one thread.

    Raises:
        OSError, KeyError: there is no such bus.
    """

    def __init__(self, which: Literal["SESSION", "SYSTEM"], seconds: float) -> None:
        """Connect; `seconds` bounds every wait for an answer."""
        self._seconds = seconds
        self._connection = open_dbus_connection(bus=which, auth_timeout=seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def ask(self, place: Place, method: str, signature: str = "", *values: object) -> object | None:
        """Call a method; return the first value it answers, None when it refuses.

        Raises:
            TimeoutError: no answer in time.
        """
        return self._ask(
            new_method_call(place.address, method, signature or None, values if values else ())
        )

    def property(self, place: Place, name: str) -> object | None:
        """Read a property; None when there is none.

        Raises:
            TimeoutError: no answer in time.
        """
        told = self._ask(Properties(place.address).get(name))
        # A variant is told with its signature before it.
        return told[1] if isinstance(told, tuple) and len(told) == 2 else None

    def has(self, name: str) -> bool:
        """Say whether somebody answers to a name now."""
        return self.ask(DAEMON, "NameHasOwner", "s", name) is True

    def _ask(self, message: Message) -> object | None:
        message.header.flags |= MessageFlag.no_auto_start
        reply = self._connection.send_and_get_reply(message, timeout=self._seconds)
        if reply.header.message_type is not MessageType.method_return or not reply.body:
            return None
        first: object = reply.body[0]
        return first
