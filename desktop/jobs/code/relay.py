"""First process in a box: brings the gateway's socket to 127.0.0.1, and runs a command.

    python -I -S relay.py PORT SOCKET -- command argument...

Nothing but the standard library, and little of it: it starts with every boxed process. The command
has this program's input, outputs and process group, gets the signals that come here, and its end is
the end: with its status, or 128 and the signal's number. What becomes an orphan is reaped, for this
may be process 1 of its box, and does not outlive the command.
"""

import os
import selectors
import signal
import socket
import sys
import time

CONNECTIONS_MAX = 256
"""At once; more wait in line."""
CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 10.0
CONNECT_AGAIN_SECONDS = 0.01
PASSED_ON = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
SET_BACK = ("SIGPIPE", "SIGXFSZ")
"""Signals that Python ignores and other programs rely on."""
FAILED, NOT_RUNNABLE, NOT_FOUND = 125, 126, 127
"""Exit statuses: of this program's own, and as shells have them."""
ORPHANS_ROUNDS_MAX = 100


class Half:
    """One direction of a connection: what was read and is not written yet."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self.target = target
        self.waiting = b""
        self.is_ended = False
        """Nothing more comes from the source."""

    def read(self) -> None:
        """Take what has come, and pass on what can be."""
        self.waiting = self.source.recv(CHUNK_BYTES)
        self.is_ended = not self.waiting
        self.write()

    def write(self) -> None:
        """Pass on what waits; tell the target when all of it is over."""
        if self.waiting:
            try:
                self.waiting = self.waiting[self.target.send(self.waiting) :]
            except BlockingIOError:
                return
        if self.is_ended and not self.waiting:
            self.target.shutdown(socket.SHUT_WR)

    @property
    def is_reading(self) -> bool:
        return not self.waiting and not self.is_ended

    @property
    def is_over(self) -> bool:
        return self.is_ended and not self.waiting


class Pair:
    """A connection of the box, and its counterpart at the gateway."""

    def __init__(self, inner: socket.socket, outer: socket.socket) -> None:
        self.sockets = (inner, outer)
        self.halves = (Half(inner, outer), Half(outer, inner))

    def ready(self, one: socket.socket, events: int) -> None:
        """Do what a socket is ready for."""
        for half in self.halves:
            if half.target is one and events & selectors.EVENT_WRITE and half.waiting:
                half.write()
            if half.source is one and events & selectors.EVENT_READ and half.is_reading:
                half.read()

    def wanted(self, one: socket.socket) -> int:
        """Tell what a socket is to be watched for; 0 for nothing."""
        events = 0
        for half in self.halves:
            if half.source is one and half.is_reading:
                events |= selectors.EVENT_READ
            if half.target is one and half.waiting:
                events |= selectors.EVENT_WRITE
        return events

    @property
    def is_over(self) -> bool:
        return all(half.is_over for half in self.halves)

    def close(self) -> None:
        for one in self.sockets:
            one.close()


class Relay:
    """All connections of the box, on one thread."""

    def __init__(self, listener: socket.socket, gateway: str) -> None:
        self._listener = listener
        self._gateway = gateway
        self._selector = selectors.DefaultSelector()
        self._count = 0
        self._is_listening = False
        self._listen()

    def watch(self, one: socket.socket) -> None:
        """Return from `turn` when something comes there; what it was counts for nothing."""
        self._selector.register(one, selectors.EVENT_READ, one)

    def turn(self) -> None:
        """Wait for something to happen, and deal with it."""
        for key, events in self._selector.select():
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.data, socket.socket):
                key.data.recv(CHUNK_BYTES)
            elif isinstance(key.fileobj, socket.socket):
                self._serve(key.data, key.fileobj, events)

    def _listen(self) -> None:
        """Take connections as long as there is room for them."""
        wanted = self._count < CONNECTIONS_MAX
        if wanted and not self._is_listening:
            self._selector.register(self._listener, selectors.EVENT_READ, None)
        elif self._is_listening and not wanted:
            self._selector.unregister(self._listener)
        self._is_listening = wanted

    def _accept(self) -> None:
        try:
            inner, _ = self._listener.accept()
        except OSError:
            return  # it hung up while it stood in line
        outer = socket.socket(socket.AF_UNIX)
        try:
            connect(outer, self._gateway)
        except OSError:
            inner.close()
            outer.close()
            return
        inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(inner, outer)
        for one in pair.sockets:
            one.settimeout(0)
            self._selector.register(one, selectors.EVENT_READ, pair)
        self._count += 1
        self._listen()

    def _serve(self, pair: Pair, one: socket.socket, events: int) -> None:
        if one.fileno() < 0:
            return  # closed in this very turn
        try:
            pair.ready(one, events)
        except BlockingIOError:
            pass
        except OSError:
            self._close(pair)
            return
        if pair.is_over:
            self._close(pair)
            return
        for each in pair.sockets:
            self._watch_for(pair, each)

    def _watch_for(self, pair: Pair, one: socket.socket) -> None:
        wanted = pair.wanted(one)
        is_watched = one in self._selector.get_map()
        if wanted and is_watched:
            self._selector.modify(one, wanted, pair)
        elif wanted:
            self._selector.register(one, wanted, pair)
        elif is_watched:
            self._selector.unregister(one)

    def _close(self, pair: Pair) -> None:
        for one in pair.sockets:
            if one in self._selector.get_map():
                self._selector.unregister(one)
        pair.close()
        self._count -= 1
        self._listen()


class Command:
    """The process that all this is for."""

    def __init__(self, argv: list[str]) -> None:
        set_back = [getattr(signal, name) for name in SET_BACK if hasattr(signal, name)]
        self.pid = os.posix_spawnp(argv[0], argv, dict(os.environ), setsigdef=set_back)
        self.status: int | None = None
        """Its exit status, when it is over."""

    def pass_on(self, number: int) -> None:
        if self.status is None:
            os.kill(self.pid, number)

    def reap(self) -> None:
        """Take leave of every process that ended."""
        while True:
            try:
                pid, told = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                code = os.waitstatus_to_exitcode(told)
                self.status = code if code >= 0 else 128 - code


def connect(outer: socket.socket, gateway: str) -> None:
    """Connect to the gateway, and wait for a place in its line if that is full.

    A system that is not to wait refuses at once then; one that is waits for ever.
    """
    outer.settimeout(0)
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return outer.connect(gateway)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(CONNECT_AGAIN_SECONDS)


def listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(CONNECTIONS_MAX)
    listener.settimeout(0)
    return listener


def bell() -> tuple[socket.socket, list[int]]:
    """Have signals wake whoever watches a socket, and gather their numbers."""
    heard: list[int] = []
    ear, mouth = socket.socketpair()
    for one in (ear, mouth):
        one.settimeout(0)
    signal.set_wakeup_fd(mouth.detach(), warn_on_full_buffer=False)
    for name in ("SIGCHLD", *PASSED_ON):
        signal.signal(getattr(signal, name), lambda number, _: heard.append(number))
    return ear, heard


def run(port: int, gateway: str, argv: list[str]) -> int:
    """Serve until the command ends; return its status."""
    relay = Relay(listen(port), gateway)
    ear, heard = bell()
    relay.watch(ear)
    command = Command(argv)
    while command.status is None:
        relay.turn()
        while heard:
            number = heard.pop(0)
            if number == signal.SIGCHLD:
                command.reap()
            else:
                command.pass_on(number)
    end_orphans()
    return command.status


def end_orphans() -> None:
    """End what the command left behind and the kernel gave to this process."""
    for _ in range(ORPHANS_ROUNDS_MAX):
        left = children()
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                continue


def children() -> list[int]:
    """Return this process's children; none where the system does not tell them this way."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as told:  # noqa: PTH123 - pathlib costs 10 ms
            return [int(word) for word in told.read().split()]
    except OSError:
        return []


def main(words: list[str]) -> int:
    try:
        port, gateway, dash, *argv = words
        number = int(port)
    except ValueError:
        dash, argv, number, gateway = "", [], 0, ""
    if dash != "--" or not argv:
        sys.stderr.write("relay: PORT SOCKET -- COMMAND [ARGUMENT...]\n")
        return FAILED
    try:
        return run(number, gateway, argv)
    except FileNotFoundError:
        sys.stderr.write(f"relay: {argv[0]}: there is no such program\n")
        return NOT_FOUND
    except PermissionError:
        sys.stderr.write(f"relay: {argv[0]}: it may not be run\n")
        return NOT_RUNNABLE
    except OSError as error:
        sys.stderr.write(f"relay: 127.0.0.1:{number}: {error.strerror}\n")
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
