"""Looks what stands on this machine for boxes: the system's folders, tools, our own Python."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import desktop
import shared
from desktop.core.code.ground import SYSTEM, SYSTEM_SECRETS, TOOLS, Ground, is_secret, outermost
from desktop.system.program import boxed_command, is_frozen

LANGUAGE = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TERM", "COLORTERM")
GUARDED = (
    "/", "/home", "/root", "/Users", "/var", "/run", "/proc", "/sys", "/dev", "/boot", "/mnt",
    "/media", "/srv", "/tmp", "/Volumes", "/private",  # noqa: S108
)  # fmt: skip
SETTINGS = "/etc"
RELAY = Path(__file__).resolve().parents[1] / "relay.py"
PLAIN_PYTHON = (sys.executable, "-I", "-S")
"""Starts in 10 ms and reads nothing from the working folder, the environment or site-packages."""


def survey(
    *,
    guarded: Sequence[Path] = (),
    tools: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Ground:
    """Look what is there now.

    `guarded` are the worker's folders of data and settings; `tools` are the owner's, as in
    "~/.cargo/bin", None for those that are known to hold no credentials.
    """
    environ = os.environ if environ is None else environ
    home = Path.home()
    system = [Path(name) for name in SYSTEM]
    real = tuple(path for path in system if path.exists() and not path.is_symlink())
    secrets = _secrets()
    return Ground(
        system=real,
        links=tuple((path, str(path.readlink())) for path in system if path.is_symlink()),
        secret_files=tuple(path for path in secrets if path.is_file()),
        secret_folders=tuple(path for path in secrets if path.is_dir()),
        mixed=dict(_mixed(real, secrets)),
        tools=_besides(real, (*_ours(), *_tools(home, tools))),
        listed=_listed(home, guarded),
        relay=_relay(),
        guarded=tuple(dict.fromkeys(_guarded(home, guarded))),
        path=environ.get("PATH", os.defpath),
        language={name: environ[name] for name in LANGUAGE if name in environ},
    )


def _secrets() -> list[Path]:
    """Return what of the settings is secret: by its name, or because not everybody may read it.

    A worker that runs as root, or in a group that may read more, would show it otherwise.
    """
    found = {Path(name) for name in SYSTEM_SECRETS if Path(name).exists()}
    for place, folders, files in os.walk(SETTINGS):
        closed = [name for name in folders if _is_closed(Path(place, name), stat.S_IXOTH)]
        found.update(Path(place, name) for name in closed)
        folders[:] = [name for name in folders if name not in closed]
        found.update(
            Path(place, name) for name in files if _is_closed(Path(place, name), stat.S_IROTH)
        )
    return [path for path in sorted(found) if not any(above in found for above in path.parents)]


def _is_closed(path: Path, bit: int) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return True
    return not stat.S_ISLNK(mode) and not mode & bit


def _mixed(
    system: Sequence[Path], secrets: Sequence[Path]
) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    around = {folder for path in secrets for folder in path.parents if _is_in(folder, system)}
    for folder in sorted(around):
        try:
            inside = sorted(folder.iterdir())
        except OSError:
            continue
        yield folder, tuple(path for path in inside if path not in around and path not in secrets)


def _is_in(path: Path, places: Sequence[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _ours() -> list[Path]:
    """Return the Python that runs this, and as much of our own code as children need."""
    if is_frozen():
        return [Path(sys.executable).resolve().parent]
    packages = [Path(str(module.__file__)).resolve().parent for module in (desktop, shared)]
    return [
        Path(sys.prefix),
        Path(sys.prefix).resolve(),
        Path(sys.base_prefix).resolve(),
        *packages,
    ]


def _listed(home: Path, guarded: Sequence[Path]) -> tuple[Path, ...]:
    root = Path(str(desktop.__file__)).resolve().parents[1]
    is_open = not any(path.is_relative_to(root) for path in _guarded(home, guarded))
    return (root,) if is_open and not is_frozen() else ()


def _relay() -> tuple[str, ...]:
    return tuple(boxed_command("relay") or (*PLAIN_PYTHON, str(RELAY)))


def _tools(home: Path, named: Sequence[str] | None) -> list[Path]:
    asked = [Path(name).expanduser() for name in named or ()]
    found = [path for name in TOOLS if _is_open(path := home / name, home, is_known=True)]
    found += [path for path in asked if path.is_absolute() and _is_open(path, home)]
    # Some sandboxes show what a link leads to under its name, others under its own alone.
    return [place for path in found for place in (path, path.resolve())]


def _is_open(path: Path, home: Path, *, is_known: bool = False) -> bool:
    """Say whether a folder of tools is there and, followed to where it leads, no secret."""
    if not path.exists():
        return False
    real, real_home = path.resolve(), home.resolve()
    if is_known and real == real_home / path.relative_to(home):
        return True
    is_named = is_known or not is_secret(path, home)
    return is_named and not is_secret(real, real_home) and not real_home.is_relative_to(real)


def _besides(system: tuple[Path, ...], tools: Sequence[Path]) -> tuple[Path, ...]:
    """Leave out what the system's folders show anyway."""
    extra = [path for path in tools if not _is_in(path, system)]
    return outermost(extra)


def _guarded(home: Path, more: Sequence[Path]) -> list[Path]:
    named = [Path(name) for name in GUARDED] + [home, *more]
    return [*named, *(path.resolve() for path in named)]
