"""Which system calls a box may not make, as a program for the kernel's filter (classic BPF).

Sources: linux/filter.h, linux/seccomp.h, asm/unistd.h; the list is what container engines deny
too, and what would get round the other walls: io_uring makes sockets that no filter sees, vsock
knows no network namespace, TIOCSTI types into the terminal of who started us.

Where there is no network namespace (`is_shared`), sockets are TCP or nothing: Landlock knows ports
but no addresses, no UDP, no Multipath TCP and no TCP Fast Open. There `connect` and changes of
modes are referred to a supervisor, which looks and does them itself.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

EPERM, EACCES, ENOSYS, EOPNOTSUPP, EAFNOSUPPORT = 1, 13, 38, 95, 97

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
NOTIFY = 0x7FC00000
KILL = 0x80000000

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM = 1
SOCK_TYPE_MASK = 0xF
IPPROTO_TCP = 6
MSG_FASTOPEN = 0x20000000
CLONE_NEW = 0x7E020000
"""Every namespace that `clone` makes: mount, cgroup, UTS, IPC, user, PID, network."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
X32 = 0x40000000

_LD_W, _JEQ, _JSET, _JGE, _AND, _RET = 0x20, 0x15, 0x45, 0x35, 0x54, 0x06
_NR, _ARCH = 0, 4


@dataclass(frozen=True, slots=True)
class Machine:
    audit_arch: int
    calls: dict[str, int]


_NEW = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "fchmodat2": 452, "lsm_set_self_attr": 460,
    "setxattrat": 463, "removexattrat": 466, "open_tree_attr": 467, "file_setattr": 469,
}  # fmt: skip
"""One number on all machines since 2019."""

_X86_64 = {
    "ioctl": 16, "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46, "listen": 50,
    "clone": 56, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93,
    "lchown": 94, "pivot_root": 155, "chroot": 161, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176,
    "quotactl": 179, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
    "lremovexattr": 198, "fremovexattr": 199, "lookup_dcookie": 212, "clock_settime": 227,
    "kexec_load": 246, "add_key": 248, "request_key": 249,
    "keyctl": 250, "migrate_pages": 256, "fchownat": 260, "fchmodat": 268, "unshare": 272,
    "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "move_pages": 279,
    "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "clock_adjtime": 305, "sendmmsg": 307, "setns": 308, "kcmp": 312,
    "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "vhangup": 153,
    "adjtimex": 159, "syslog": 103, "uselib": 134, "ustat": 136, "sysfs": 139, "_sysctl": 156,
    "nfsservctl": 180, "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65,
    "semctl": 66, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240,
    "mq_unlink": 241, "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144,
    "open": 2, "creat": 85, "mknod": 133, "openat": 257, "mknodat": 259, "openat2": 437,
    "sched_setaffinity": 203, "ioprio_set": 251, "prlimit64": 302, "sched_setattr": 314,
} | _NEW  # fmt: skip
_AARCH64 = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15,
    "fremovexattr": 16, "lookup_dcookie": 18, "ioctl": 29, "umount2": 39,
    "mount": 40, "pivot_root": 41, "nfsservctl": 42, "chroot": 51, "fchmod": 52, "fchmodat": 53,
    "fchownat": 54, "fchown": 55, "vhangup": 58, "quotactl": 60, "utimensat": 88, "acct": 89,
    "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106,
    "clock_settime": 112, "syslog": 116, "reboot": 142, "sethostname": 161, "setdomainname": 162,
    "settimeofday": 170, "adjtimex": 171, "socket": 198, "listen": 201,
    "connect": 203, "sendto": 206, "sendmsg": 211, "add_key": 217, "request_key": 218,
    "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225,
    "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241,
    "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265,
    "clock_adjtime": 266, "setns": 268, "sendmmsg": 269, "kcmp": 272, "finit_module": 273,
    "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294, "ioprio_set": 30,
    "mknodat": 33, "openat": 56, "openat2": 437,
    "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122,
    "setpriority": 140, "mq_open": 180, "mq_unlink": 181, "msgget": 186, "msgctl": 187,
    "msgrcv": 188, "msgsnd": 189, "semget": 190, "semctl": 191, "semop": 193, "shmget": 194,
    "shmctl": 195, "shmat": 196, "prlimit64": 261, "sched_setattr": 274,
} | _NEW  # fmt: skip
MACHINES = {
    "x86_64": Machine(0xC000003E, _X86_64),
    "aarch64": Machine(0xC00000B7, _AARCH64),
}
"""By the system's word for the processor (`platform.machine()`)."""

DENIED = (
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime",
    "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
    "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
    "lookup_dcookie", "lsm_set_self_attr", "migrate_pages", "mount", "mount_setattr",
    "move_mount", "move_pages", "name_to_handle_at", "nfsservctl", "open_by_handle_at",
    "open_tree", "open_tree_attr", "perf_event_open", "pidfd_getfd", "pivot_root",
    "process_madvise", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname",
    "sethostname", "setns", "settimeofday", "swapoff", "swapon", "syslog", "sysfs", "_sysctl",
    "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vhangup",
)  # fmt: skip
"""Never needed to build and test a program; each has helped to get out of something."""
ABSENT = ("clone3", "io_uring_enter", "io_uring_register", "io_uring_setup", "openat2")
"""Said not to exist, so that programs fall back to what can be looked at."""
MODES = {
    "chmod": 1, "creat": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "mknod": 1, "mknodat": 2,
    "open": 2, "openat": 3,
}  # fmt: skip
"""Calls that give a file its mode, and where: no program that runs as its owner is left behind."""
SET_ID = 0o6000
ATTRIBUTES = (
    "file_setattr", "fremovexattr", "fsetxattr", "lremovexattr", "lsetxattr", "removexattr",
    "removexattrat", "setxattr", "setxattrat",
)  # fmt: skip
"""Changes that Landlock does not see; refused where it is the only wall. Attributes are said to be
unknown to the file system: programs that copy files then do without."""
IPC = (
    "mq_open", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop",
    "shmat", "shmctl", "shmget",
)  # fmt: skip
"""Memory and queues that all processes of a person share, where there is no IPC namespace."""
OF_OTHERS = {
    "prlimit64": 0, "sched_setaffinity": 0, "sched_setattr": 0, "sched_setparam": 0,
    "sched_setscheduler": 0, "setpriority": 1, "ioprio_set": 1,
}  # fmt: skip
"""Calls that change another process of the same person; which argument names it: 0 is oneself."""
REFERRED = (
    "chmod", "chown", "connect", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat",
    "futimesat", "lchown", "utime", "utimensat", "utimes",
)  # fmt: skip
"""The same, but needed: a supervisor does them where they may be done."""


def program(machine: Machine, *, is_shared: bool) -> bytes:
    """Return the filter.

    Args:
        machine: one of MACHINES.
        is_shared: whether network and files are those of the machine, as under Landlock alone.
    """
    lines = [
        (_LD_W, 0, 0, _ARCH),
        (_JEQ, 1, 0, machine.audit_arch),
        (_RET, 0, 0, KILL),
        (_LD_W, 0, 0, _NR),
        (_JGE, 0, 1, X32),
        (_RET, 0, 0, ERRNO | ENOSYS),
    ]
    calls = machine.calls
    for name in DENIED:
        lines += _always(calls, name, ERRNO | EPERM)
    for name in ABSENT:
        lines += _always(calls, name, ERRNO | ENOSYS)
    for name, place in MODES.items():
        lines += _when_set(calls, name, place, SET_ID, ERRNO | EPERM)
    if is_shared:
        lines += _shared(calls)
    lines += _when_set(calls, "clone", 0, CLONE_NEW, ERRNO | EPERM)
    lines += _when_equal(calls, "ioctl", 1, (TIOCSTI, TIOCLINUX), ERRNO | EPERM)
    lines += _socket(calls, "socket", is_tcp_only=is_shared)
    lines.append((_RET, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


Line = tuple[int, int, int, int]


def _shared(calls: dict[str, int]) -> list[Line]:
    lines = _always(calls, "listen", ERRNO | EACCES)
    for name in IPC:
        lines += _always(calls, name, ERRNO | EPERM)
    for name in ATTRIBUTES:
        lines += _always(calls, name, ERRNO | EOPNOTSUPP)
    for name in REFERRED:
        lines += _always(calls, name, NOTIFY)
    for name, place in OF_OTHERS.items():
        lines += _when_set(calls, name, place, 0xFFFFFFFF, ERRNO | EPERM)
    # No connection by the way: data that opens one is never seen by `connect`.
    for name, flags in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)):
        lines += _when_set(calls, name, flags, MSG_FASTOPEN, ERRNO | EPERM)
    return lines


def _always(calls: dict[str, int], name: str, verdict: int) -> list[Line]:
    if name not in calls:
        return []
    return [(_JEQ, 0, 1, calls[name]), (_RET, 0, 0, verdict)]


def _when_set(calls: dict[str, int], name: str, place: int, bits: int, verdict: int) -> list[Line]:
    # A JSET that finds a bit goes on to the verdict, else over it, to the number again.
    inner = [(_LD_W, 0, 0, _argument(place)), (_JSET, 0, 1, bits), (_RET, 0, 0, verdict)]
    return _only_for(calls, name, inner)


def _when_equal(
    calls: dict[str, int], name: str, place: int, values: tuple[int, ...], verdict: int
) -> list[Line]:
    inner: list[Line] = [(_LD_W, 0, 0, _argument(place))]
    for value in values:
        inner += [(_JEQ, 0, 1, value), (_RET, 0, 0, verdict)]
    return _only_for(calls, name, inner)


def _socket(calls: dict[str, int], name: str, *, is_tcp_only: bool) -> list[Line]:
    """Let families pass that stay inside; of the internet's, TCP alone where that is the wall."""
    refuse = (_RET, 0, 0, ERRNO | EAFNOSUPPORT)
    route = [  # netlink: asking for routes and addresses alone
        (_JEQ, 0, 3, AF_NETLINK),
        (_LD_W, 0, 0, _argument(2)),
        (_JEQ, 0, 1, 0),
        (_RET, 0, 0, ALLOW),
    ]
    streams: list[Line] = [
        (_LD_W, 0, 0, _argument(1)),
        (_AND, 0, 0, SOCK_TYPE_MASK),
        (_JEQ, 1, 0, SOCK_STREAM),
        refuse,
    ]
    tcp: list[Line] = [
        (_LD_W, 0, 0, _argument(2)),
        (_JEQ, 1, 0, 0),
        (_JEQ, 0, 1, IPPROTO_TCP),
        (_RET, 0, 0, ALLOW),
        refuse,
    ]
    allow: Line = (_RET, 0, 0, ALLOW)
    unix = [*streams, allow] if is_tcp_only else [allow]
    internet = [*streams, *tcp] if is_tcp_only else [allow]
    inner: list[Line] = [
        (_LD_W, 0, 0, _argument(0)),
        (_JEQ, 0, len(unix), AF_UNIX),
        *unix,
        (_JEQ, 1, 0, AF_INET),
        (_JEQ, 0, len(internet), AF_INET6),
        *internet,
        *route,
        refuse,
    ]
    return _only_for(calls, name, inner)


def _only_for(calls: dict[str, int], name: str, inner: list[Line]) -> list[Line]:
    if name not in calls:
        return []
    return [(_JEQ, 0, len(inner) + 1, calls[name]), *inner, (_LD_W, 0, 0, _NR)]


def _argument(place: int) -> int:
    """Return where the lower half of an argument stands; both machines are little-endian."""
    return 16 + 8 * place
