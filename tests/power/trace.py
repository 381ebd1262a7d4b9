"""What a program did to its disk, as strace saw it: writes, syncs, names, and what it said of it.

A write may reach the disk from the moment it was begun, a sync counts from the moment it was
done, and a word to the outside counts from the moment it was begun.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2"
SAID = "said"
"""The file, beside the store's folder, in which a program says what it holds for committed."""
RECORD_SECONDS = 300
_LINE = re.compile(r"(\d+) +(\w+)\((.*)$")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_UNFINISHED = " <unfinished ...>"
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")
_RESULT = re.compile(r"\) += +(-?\d+)(?:<((?:\\x[0-9a-f]{2})*)>)?")


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Create:
    path: str


@dataclass(frozen=True, slots=True)
class Unlink:
    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Sync:
    path: str
    """Of a file, or of the folder itself ("")."""


@dataclass(frozen=True, slots=True)
class Said:
    text: str


Step = Write | Truncate | Create | Unlink | Rename | Sync | Said


def record(program: list[str], folder: Path, store: Path) -> list[Step]:
    """Run a module of the tests under strace; return what it did inside of `store`.

    Args:
        program: the module and its arguments; what it says goes to `folder / SAID`.
        folder: for the trace.
        store: where its store is.

    Raises:
        RuntimeError: strace is missing, or the program failed.
    """
    log = folder / "strace"
    command = ["strace", "-f", "-y", "-xx", "-s", "9999999", "-e", f"trace={CALLS}", "-o", str(log)]
    try:
        done = subprocess.run(
            [*command, sys.executable, "-m", *program],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=RECORD_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise RuntimeError("strace is missing; on Debian: apt-get install strace") from None
    if done.returncode:
        raise RuntimeError(f"{' '.join(program)} failed: {done.stderr[-2000:]}")
    with log.open(encoding="ascii") as lines:
        return list(steps(lines, store, folder / SAID))


def steps(lines: Iterable[str], store: Path, said: Path) -> Iterator[Step]:
    """Read a trace."""
    begun: dict[str, tuple[str, str]] = {}
    reader = _Reader(f"{store}/", str(store), str(said))
    for line in map(str.rstrip, lines):
        if resumed := _RESUMED.match(line):
            name, head = begun.pop(resumed[1])
            yield from reader.step(name, head + resumed[3], is_begun=False, is_done=True)
        elif called := _LINE.match(line):
            name, rest = called[2], called[3]
            is_whole = not rest.endswith(_UNFINISHED)
            if not is_whole:
                rest = rest.removesuffix(_UNFINISHED)
                begun[called[1]] = name, rest
            yield from reader.step(name, rest, is_begun=True, is_done=is_whole)


class _Reader:
    """Knows how far plain writes have come in each file."""

    def __init__(self, inside: str, store: str, said: str) -> None:
        self._inside, self._store, self._said = inside, store, said
        self._at: dict[str, int] = {}

    def step(self, name: str, rest: str, *, is_begun: bool, is_done: bool) -> Iterator[Step]:
        match name:
            case "write" | "pwrite64" | "ftruncate" if is_begun:
                yield from self._change(name, rest)
            case "fsync" | "fdatasync" if is_done and _result(rest) == 0:
                path = _descriptor(rest)
                if path == self._store:
                    yield Sync("")
                elif path.startswith(self._inside):
                    yield Sync(path.removeprefix(self._inside))
            case "openat" if is_done:
                yield from self._open(rest)
            case "unlink" | "unlinkat" if is_done and _result(rest) == 0:
                for path in self._names(rest):
                    yield Unlink(path)
            case "rename" | "renameat" | "renameat2" if is_done and _result(rest) == 0:
                names = self._names(rest)
                if len(names) == 2:
                    yield Rename(*names)
            case _:
                pass

    def _change(self, name: str, rest: str) -> Iterator[Step]:
        path = _descriptor(rest)
        if path == self._said:
            yield Said(_strings(rest)[0].decode())
        if not path.startswith(self._inside):
            return
        path = path.removeprefix(self._inside)
        if name == "ftruncate":
            yield Truncate(path, int(rest.split(",")[1].split(")", maxsplit=1)[0]))
            return
        data = _strings(rest)[0]
        offset = self._at.get(path, 0)
        if name == "pwrite64":
            offset = int(rest.rsplit('"', 1)[1].split(",")[2].split(")", maxsplit=1)[0])
        else:
            self._at[path] = offset + len(data)
        yield Write(path, offset, data)

    def _open(self, rest: str) -> Iterator[Step]:
        found = _RESULT.search(rest)
        if found is None or int(found[1]) < 0 or not found[2]:
            return
        path = _bytes(found[2]).decode()
        if not path.startswith(self._inside):
            return
        path = path.removeprefix(self._inside)
        self._at[path] = 0
        if "O_CREAT" in rest:
            yield Create(path)
        if "O_TRUNC" in rest:
            yield Truncate(path, 0)

    def _names(self, rest: str) -> list[str]:
        names = [text.decode() for text in _strings(rest)]
        return [n.removeprefix(self._inside) for n in names if n.startswith(self._inside)]


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _strings(rest: str) -> list[bytes]:
    return [_bytes(text) for text in _STRING.findall(rest)]


def _descriptor(rest: str) -> str:
    found = _DESCRIPTOR.match(rest)
    return _bytes(found[2]).decode(errors="replace") if found else ""


def _result(rest: str) -> int:
    found = _RESULT.search(rest)
    return int(found[1]) if found else -1
