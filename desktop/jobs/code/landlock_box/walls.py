"""What holds a process: no capability, Landlock's rules, the filter, limits; for good."""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import struct

from desktop.jobs.code.landlock_box.kernel import (
    PR_CAPBSET_DROP,
    PR_SET_NO_NEW_PRIVS,
    Suppressed,
    call,
    prctl,
    read_text,
)

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
SECCOMP = {"x86_64": 317, "aarch64": 277}
CAPSET = {"x86_64": 126, "aarch64": 91}
CAPABILITIES_MAX = 63
LISTENER_FLAG = 8

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
MAKE_CHAR, MAKE_BLOCK, TRUNCATE, IOCTL_DEV = 1 << 6, 1 << 11, 1 << 14, 1 << 15
ALL_FILES = (1 << 16) - 1
WRITING = ALL_FILES & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV)
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""What can be said of a file that is no folder."""
TCP = 3
SCOPES = 3
"""Abstract sockets, signals."""
RULE_PATH, RULE_PORT = 1, 2
CONNECT_TCP = 2


def landlock_abi() -> int:
    """Return which Landlock the kernel has; 0 for none."""
    try:
        return call(LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def give_up_rights() -> None:
    """Drop every capability, for good; as root, too."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(CAPABILITIES_MAX + 1):
        with Suppressed(OSError):  # not one of root's, or none of this kernel's
            prctl(PR_CAPBSET_DROP, capability)
    header = struct.pack("=Ii", 0x20080522, 0)
    call(CAPSET[os.uname().machine], header, bytes(24))


def first_wall(wall: dict[str, object]) -> None:
    """Hold this process and all it starts to the files and the one port of the box."""
    ruleset = _ruleset(files=ALL_FILES)
    for names, rights in (
        (wall["read"], EXECUTE | READ_FILE | READ_DIR),
        (wall["look"], READ_DIR),
        (wall["write"], WRITING),
        (wall["devices"], READ_FILE | WRITE_FILE),
    ):
        assert isinstance(names, tuple)
        for name in names:
            _allow(ruleset, name, rights)
    if wall["port"]:
        rule = struct.pack("=QQ", CONNECT_TCP, int(str(wall["port"])))
        call(LANDLOCK_ADD, ruleset, RULE_PORT, rule, 0)
    call(LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def second_wall() -> None:
    """Set this process apart from the supervisor, which it may neither trace nor signal."""
    ruleset = _ruleset(files=MAKE_BLOCK)
    call(LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def _ruleset(*, files: int) -> int:
    rules = struct.pack("=QQQ", files, TCP, SCOPES)
    return call(LANDLOCK_CREATE, rules, len(rules), 0)


def _allow(ruleset: int, name: str, rights: int) -> None:
    try:
        place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # gone since it was looked up
    mode = os.fstat(place).st_mode
    if not stat.S_ISLNK(mode):
        allowed = rights if stat.S_ISDIR(mode) else rights & OF_FILES
        call(LANDLOCK_ADD, ruleset, RULE_PATH, struct.pack("=Qi", allowed, place), 0)
    os.close(place)


def install_filter(code: bytes) -> int:
    """Filter this process's calls from now on; return where the referred ones are heard."""
    kept = ctypes.create_string_buffer(code, len(code))
    of_program = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(kept))
    return call(SECCOMP[os.uname().machine], 1, LISTENER_FLAG, of_program)


def set_limits(limits: dict[str, int]) -> None:
    """Set each limit; threads are counted over all of the person's, so those come on top."""
    running = int(read_text("/proc/loadavg").split()[3].split("/")[1])
    for name, value in limits.items():
        which = getattr(resource, f"RLIMIT_{name.upper()}")
        hard = resource.getrlimit(which)[1]
        wanted = value + running if name == "nproc" else value
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(which, (most, most))
