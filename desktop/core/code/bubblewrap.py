"""A Box as bubblewrap's arguments.

The root is made anew and empty: what is not bound is not there. Namespaces of its own for network,
processes, IPC, names and users; no capability; what is around is mounted before what is inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from desktop.core.code.box import Box
from desktop.core.code.ground import Ground, check_box, outermost

SECCOMP_FD = 9
TEMPORARY = Path("/tmp")  # noqa: S108 - the box's own, made with it and gone with it
ALSO_TEMPORARY = "/var/tmp"  # noqa: S108
SHARED_MEMORY = "/dev/shm"  # noqa: S108
KERNEL_SETTINGS = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr", "driver")
HOSTNAME = "box"
NAMESPACES = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
    "--unshare-cgroup-try",
)  # fmt: skip


def arguments(
    box: Box, ground: Ground, argv: Sequence[str], *, has_sizes: bool, is_filtered: bool = True
) -> list[str]:
    """Return what follows `bwrap`, whose descriptor SECCOMP_FD gives the filter.

    `has_sizes` says whether this bubblewrap can limit a tmpfs (0.7 and newer), `is_filtered`
    whether there is a filter for this processor.

    Raises:
        BadInput: `box_path`.
    """
    check_box(box, ground)
    return [
        *NAMESPACES,
        "--hostname", HOSTNAME,
        "--die-with-parent",
        "--new-session",
        "--cap-drop", "ALL",
        *(("--seccomp", str(SECCOMP_FD)) if is_filtered else ()),
        *_system(ground),
        *_proc(),
        "--dev", "/dev",
        *_scratch(box, has_sizes=has_sizes),
        *_folders(box, ground),
        "--remount-ro", "/dev",
        "--remount-ro", "/",
        "--chdir", str(box.workdir),
        "--",
        *argv,
    ]  # fmt: skip


def _system(ground: Ground) -> Iterable[str]:
    for place in ground.system:
        yield from ("--ro-bind", str(place), str(place))
    for link, target in ground.links:
        yield from ("--symlink", target, str(link))
    for folder in ground.secret_folders:
        yield from ("--tmpfs", str(folder), "--remount-ro", str(folder))
    for file in ground.secret_files:
        # As a device that may be used, it reads as an empty file; else programs would complain.
        yield from ("--dev-bind", "/dev/null", str(file))


def _proc() -> Iterable[str]:
    """Show the box's own processes; what sets the kernel is read only, whoever owns it.

    Its files belong to root: a worker that runs as root could write them without a capability.
    """
    yield from ("--proc", "/proc")
    for name in KERNEL_SETTINGS:
        yield from ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")


def _scratch(box: Box, *, has_sizes: bool) -> Iterable[str]:
    """Make what programs scribble on: memory, and never more than the box may have of it."""
    for place in (str(TEMPORARY), SHARED_MEMORY):
        if has_sizes:
            yield from ("--size", str(box.limits.scratch_bytes_max))
        yield from ("--tmpfs", place)
    yield from ("--symlink", str(TEMPORARY), ALSO_TEMPORARY)


def _folders(box: Box, ground: Ground) -> Iterable[str]:
    binds = dict.fromkeys((*ground.tools, *box.read_only), "--ro-bind")
    if box.gateway is not None:
        binds[box.gateway] = "--ro-bind"
    binds |= dict.fromkeys(outermost(box.writable_all), "--bind")
    for path in sorted(binds, key=lambda path: (len(path.parts), str(path))):
        yield from (binds[path], str(path), str(path))
