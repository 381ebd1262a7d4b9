"""A Box as the arguments of `podman run` or `docker run`; only where the owner names an image.

The image has to bring what is needed: a shell, Python 3, git and the agent. Nothing of this
machine's programs is shown in it; paths of the clone, the home and the mirror stay the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from desktop.core.code.box import Box
from desktop.core.code.ground import Ground, check_box, outermost

TEMPORARY = "/tmp"  # noqa: S108 - the container's own
ENGINES = ("podman", "docker")
"""The one without a daemon first: what it starts is its child, and ends with it."""
RELAY = "/opt/deskhand/relay.py"


def arguments(
    box: Box,
    ground: Ground,
    argv: Sequence[str],
    *,
    engine: str,
    image: str,
    ids: tuple[int, int],
    names: Sequence[str],
) -> list[str]:
    """Return what follows the engine's name.

    `ids` are the person's user and group, `names` the variables that are handed on; their values
    come from the environment of the engine's program, where no list of processes shows them.

    Raises:
        BadInput: `box_path`.
    """
    check_box(box, ground)
    limits = box.limits
    return [
        "run", "--rm", "--interactive", "--init", "--pull", "never",
        "--network", "none",
        "--read-only",
        "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges",
        "--memory", str(limits.memory_bytes_max),
        "--pids-limit", str(limits.processes_max),
        "--ulimit", f"nofile={limits.open_files_max}",
        "--ulimit", f"fsize={limits.file_bytes_max}",
        "--ulimit", "core=0",
        "--tmpfs", f"{TEMPORARY}:rw,nosuid,nodev,size={limits.scratch_bytes_max}",
        *_user(engine, ids),
        *_mounts(box, ground),
        *(word for name in names for word in ("--env", name)),
        "--workdir", str(box.workdir),
        "--entrypoint", "",
        image,
        *argv,
    ]  # fmt: skip


def _user(engine: str, ids: tuple[int, int]) -> list[str]:
    """Have what is written in the clone belong to the person, not to root."""
    user = ["--user", f"{ids[0]}:{ids[1]}"]
    return ["--userns", "keep-id", *user] if engine == "podman" and ids[0] != 0 else user


def _mounts(box: Box, ground: Ground) -> Iterable[str]:
    binds = [(path, path, "readonly") for path in outermost(box.read_only)]
    binds += [(path, path, "") for path in outermost(box.writable_all)]
    told = [(str(source), str(target), mode) for source, target, mode in binds]
    if box.gateway is not None:
        told.append((str(box.gateway), str(box.gateway), ""))
        told.append((ground.relay[-1], RELAY, "readonly"))
    for source, target, mode in told:
        # A comma would end the field: such a path is quoted, as the engines read CSV.
        fields = ["type=bind", f"source={source}", f"target={target}", *([mode] if mode else [])]
        yield from ("--mount", ",".join(_field(field) for field in fields))


def _field(words: str) -> str:
    return '"' + words.replace('"', '""') + '"' if "," in words or '"' in words else words
