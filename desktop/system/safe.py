"""The system's safe for secrets, asked in a thread and never waited for without an end.

Backends are chosen by name. Left to itself, keyring may pick one that writes plain text without
saying so (keyrings.alt does). Keyring is imported when the safe is first needed: it costs 100 ms.
"""

from __future__ import annotations

import functools
import queue
import sys
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from desktop.core.safe import BROKEN, LOCKED, SILENT, SafeTrouble, broken, locked, missing, silent
from shared.errors import ErrorBody

SERVICE = "deskhand"
SAFE_BACKENDS = ("SecretService", "kwallet", "macOS", "Windows")
ANSWER_SECONDS = 20.0
"""A person may have to type the safe's password; longer, and the program goes on without."""
LOOK_SECONDS = 30.0
T = TypeVar("T")


class Backend(Protocol):
    """The part of keyring's backends that is used."""

    def set_password(self, service: str, username: str, password: str) -> None: ...
    def get_password(self, service: str, username: str) -> str | None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class Safe:
    """Blocks its caller, up to a bound: call it in a thread. One question at a time.

    Every call raises SafeTrouble when the safe cannot be used.
    """

    def __init__(
        self,
        backend: Callable[[], Backend | None] | None = None,
        *,
        seconds: float = ANSWER_SECONDS,
        is_locked: Callable[[], bool] | None = None,
    ) -> None:
        """Make it; nothing is asked yet.

        Args:
            backend: finds what keeps the secrets; None for the system's.
            seconds: how long an answer is waited for.
            is_locked: looks without a window; None for the system's own way.
        """
        self.trouble: ErrorBody | None = None
        """What was wrong when it was last asked."""
        self.look_seconds = LOOK_SECONDS
        """How often whoever waits for it looks whether it was unlocked."""
        self._backend = backend or system_backend
        self._seconds = seconds
        self._is_locked = is_locked or system_is_locked
        self._turn = threading.Lock()
        self._late: threading.Thread | None = None

    @property
    def name(self) -> str:
        """Which safe it is, in one word."""
        found = self._ask(lambda backend: type(backend).__module__)
        return found.rsplit(".", 1)[-1]

    def get(self, entry: str) -> str | None:
        return self._ask(lambda backend: backend.get_password(SERVICE, entry))

    def put(self, entry: str, secret: str) -> None:
        """Keep a secret, and see that it is there."""

        def keep(backend: Backend) -> bool:
            backend.set_password(SERVICE, entry, secret)
            return backend.get_password(SERVICE, entry) == secret

        if not self._ask(keep):
            raise self._noted(broken("what is put into it is not there afterwards"))

    def remove(self, entry: str) -> None:
        """Remove a secret; nothing happens when there is none."""

        def drop(backend: Backend) -> None:
            if backend.get_password(SERVICE, entry) is not None:
                backend.delete_password(SERVICE, entry)

        self._ask(drop)

    def ask_again(self) -> None:
        """Forget that it was locked: the next question may make a password window appear."""
        self.trouble = None

    def may_open(self) -> bool:
        """Say whether asking again may go better, without making a password window appear."""
        if self.trouble is None:
            return True
        if self.trouble.code == SILENT:
            return self._late is None or not self._late.is_alive()
        return self.trouble.code in (LOCKED, BROKEN) and not self._is_locked()

    def _ask(self, call: Callable[[Backend], T]) -> T:
        if not self._turn.acquire(timeout=self._seconds):
            raise self._noted(silent(self._seconds))
        try:
            return self._asked(call)
        finally:
            self._turn.release()

    def _asked(self, call: Callable[[Backend], T]) -> T:
        if self._late is not None and self._late.is_alive():
            raise self._noted(silent(self._seconds))
        if self.trouble is not None and self.trouble.code == LOCKED and not self.may_open():
            raise self._noted(locked())  # every question would make a password window appear
        answers: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()
        # A daemon: a window that nobody answers must not keep the program from ending.
        asking = threading.Thread(
            target=lambda: answers.put(self._answer(call)), name="safe", daemon=True
        )
        asking.start()
        try:
            answer = answers.get(timeout=self._seconds)
        except queue.Empty:
            self._late = asking
            raise self._noted(silent(self._seconds)) from None
        if isinstance(answer, Exception):
            raise self._noted(trouble_of(answer)) from answer
        self.trouble = None
        return answer

    def _answer(self, call: Callable[[Backend], T]) -> T | Exception:
        try:
            backend = self._backend()
            return missing() if backend is None else call(backend)
        except Exception as error:  # backends raise what their libraries raise
            return error

    def _noted(self, trouble: SafeTrouble) -> SafeTrouble:
        self.trouble = trouble.body
        return trouble


def trouble_of(error: Exception) -> SafeTrouble:
    """Say in our words what a backend raised."""
    if isinstance(error, SafeTrouble):
        return error
    match type(error).__name__:
        case "KeyringLocked" | "InitError":
            # InitError: there is no collection yet, and nobody was there to choose its password.
            return locked()
        case "NoKeyringError":
            return missing()
        case name:
            return broken(name)


@functools.cache
def system_safe() -> Safe:
    """Return this process's door to the system's safe."""
    return Safe()


def system_backend() -> Backend | None:
    try:
        import keyring
    except ImportError:
        return None
    backend = keyring.get_keyring()
    members: list[Backend] = list(getattr(backend, "backends", [backend]))
    for member in members:
        if type(member).__module__.removeprefix("keyring.backends.") in SAFE_BACKENDS:
            return member
    return None


def system_is_locked() -> bool:
    """Ask the Secret Service whether its safe is locked (freedesktop.org, Secret Service API).

    Elsewhere nobody tells: then it counts as locked until a person wants it asked again.
    """
    if sys.platform != "linux":
        return True
    from desktop.system.bus import Bus, Place

    collection = Place(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets/aliases/default",
        "org.freedesktop.Secret.Collection",
    )
    try:
        with Bus("SESSION", 2.0) as bus:
            return bus.property(collection, "Locked") is not False
    except (OSError, KeyError, RuntimeError):
        return True
