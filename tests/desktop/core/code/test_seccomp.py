"""The filter, played by an interpreter of the kernel's little language."""

from __future__ import annotations

import struct

import pytest

from desktop.core.code.seccomp import (
    ABSENT,
    ALLOW,
    ATTRIBUTES,
    DENIED,
    EACCES,
    EAFNOSUPPORT,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    ERRNO,
    IPC,
    KILL,
    MACHINES,
    NOTIFY,
    OF_OTHERS,
    REFERRED,
    program,
)

X86, ARM = MACHINES["x86_64"], MACHINES["aarch64"]
BOTH = pytest.mark.parametrize("is_shared", [False, True], ids=["own network", "shared"])
MACHINE = pytest.mark.parametrize("machine", [X86, ARM], ids=["x86_64", "aarch64"])
STEPS_MAX = 4096
"""As many lines as the kernel takes."""


def play(code: bytes, number: int, *arguments: int, arch: int = X86.audit_arch) -> int:
    """Return the filter's verdict on a call."""
    padded = (*arguments, *(0 for _ in range(6 - len(arguments))))
    data = struct.pack("=iIQ6Q", number, arch, 0, *padded)
    lines = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at = kept = 0
    while True:
        verb, yes, no, value = lines[at]
        at += 1
        match verb:
            case 0x20:
                kept = struct.unpack_from("=I", data, value)[0]
            case 0x54:
                kept &= value
            case 0x15:
                at += yes if kept == value else no
            case 0x45:
                at += yes if kept & value else no
            case 0x35:
                at += yes if kept >= value else no
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(verb)


def verdict(name: str, *arguments: int, is_shared: bool) -> int:
    return play(program(X86, is_shared=is_shared), X86.calls[name], *arguments)


@MACHINE
@BOTH
def test_the_filter_is_short_enough_and_every_jump_lands_in_it(
    machine: object, is_shared: bool
) -> None:
    assert machine in (X86, ARM)
    code = program(X86 if machine is X86 else ARM, is_shared=is_shared)
    count = len(code) // 8

    assert count < STEPS_MAX
    for at in range(count):
        verb, yes, no, _ = struct.unpack_from("=HBBI", code, at * 8)
        if verb & 7 == 5:
            assert at + 1 + max(yes, no) < count


@BOTH
@pytest.mark.parametrize("name", [name for name in DENIED if name in X86.calls])
def test_what_is_never_needed_is_refused(name: str, is_shared: bool) -> None:
    assert verdict(name, is_shared=is_shared) == ERRNO | EPERM


@BOTH
@pytest.mark.parametrize("name", ABSENT)
def test_what_no_filter_could_look_into_is_said_not_to_exist(name: str, is_shared: bool) -> None:
    assert verdict(name, is_shared=is_shared) == ERRNO | ENOSYS


@BOTH
@pytest.mark.parametrize("number", [0, 1, 3, 9, 39, 57, 59, 231])
def test_what_programs_do_all_the_time_passes(number: int, is_shared: bool) -> None:
    assert play(program(X86, is_shared=is_shared), number) == ALLOW


@BOTH
def test_another_machines_calls_end_the_process(is_shared: bool) -> None:
    i386 = 0x40000003

    assert play(program(X86, is_shared=is_shared), 1, arch=i386) == KILL


@BOTH
def test_the_second_numbering_of_the_same_calls_is_refused(is_shared: bool) -> None:
    code = program(X86, is_shared=is_shared)

    assert play(code, 0x40000000 | X86.calls["connect"]) == ERRNO | ENOSYS


@BOTH
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((1, 1, 0), ALLOW, id="unix"),
        pytest.param((2, 1, 0), ALLOW, id="tcp"),
        pytest.param((2, 1 | 0o2000000 | 0o4000, 6), ALLOW, id="tcp, non-blocking, closed on exec"),
        pytest.param((10, 1, 0), ALLOW, id="tcp over ipv6"),
        pytest.param((16, 3, 0), ALLOW, id="asking for routes"),
        pytest.param((16, 3, 15), ERRNO | EAFNOSUPPORT, id="netlink of devices"),
        pytest.param((17, 3, 0), ERRNO | EAFNOSUPPORT, id="packets"),
        pytest.param((38, 5, 0), ERRNO | EAFNOSUPPORT, id="the kernel's ciphers"),
        pytest.param((40, 1, 0), ERRNO | EAFNOSUPPORT, id="the machine below"),
    ],
)
def test_families_that_stay_inside_pass(
    arguments: tuple[int, ...], expected: int, is_shared: bool
) -> None:
    assert verdict("socket", *arguments, is_shared=is_shared) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((2, 2, 0), id="udp"),
        pytest.param((10, 2, 0), id="udp over ipv6"),
        pytest.param((2, 2, 1), id="ping"),
        pytest.param((2, 3, 1), id="raw"),
        pytest.param((2, 1, 262), id="multipath tcp"),
        pytest.param((2, 1, 132), id="sctp"),
        pytest.param((2, 5, 132), id="sctp, sequenced"),
        pytest.param((1, 2, 0), id="unix datagrams"),
    ],
)
def test_where_the_network_is_shared_sockets_are_tcp_or_nothing(arguments: tuple[int, ...]) -> None:
    assert verdict("socket", *arguments, is_shared=True) == ERRNO | EAFNOSUPPORT
    assert verdict("socket", *arguments, is_shared=False) == ALLOW


@pytest.mark.parametrize(("name", "place"), [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)])
def test_no_connection_is_opened_by_sending(name: str, place: int) -> None:
    fast = tuple(0x20000000 if n == place else 0 for n in range(6))
    plain = tuple(0x4000 if n == place else 0 for n in range(6))

    assert verdict(name, *fast, is_shared=True) == ERRNO | EPERM
    assert verdict(name, *plain, is_shared=True) == ALLOW


@pytest.mark.parametrize("name", REFERRED)
def test_what_a_supervisor_has_to_look_at_is_referred(name: str) -> None:
    assert verdict(name, is_shared=True) == NOTIFY
    assert verdict(name, is_shared=False) == ALLOW


@pytest.mark.parametrize(
    ("name", "code"),
    [("listen", EACCES), *((name, EOPNOTSUPP) for name in ATTRIBUTES), *((n, EPERM) for n in IPC)],
)
def test_what_no_wall_of_landlocks_holds_is_refused(name: str, code: int) -> None:
    assert verdict(name, is_shared=True) == ERRNO | code
    assert verdict(name, is_shared=False) == ALLOW


@pytest.mark.parametrize("name", OF_OTHERS)
def test_a_process_changes_itself_and_no_other(name: str) -> None:
    other = tuple(4711 if n == OF_OTHERS[name] else 0 for n in range(6))

    assert verdict(name, *other, is_shared=True) == ERRNO | EPERM
    assert verdict(name, is_shared=True) == ALLOW


@BOTH
@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6700])
def test_no_file_comes_to_run_as_its_owner(mode: int, is_shared: bool) -> None:
    for name, arguments in {
        "chmod": (0, mode), "fchmod": (3, mode), "fchmodat": (3, 0, mode), "open": (0, 0o101, mode),
        "openat": (3, 0, 0o101, mode), "creat": (0, mode), "mknod": (0, mode),
    }.items():  # fmt: skip
        assert verdict(name, *arguments, is_shared=is_shared) == ERRNO | EPERM, name


@BOTH
def test_no_namespace_is_made_and_threads_are(is_shared: bool) -> None:
    threads = 0x3D0F00

    assert verdict("clone", threads, is_shared=is_shared) == ALLOW
    for new in (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x02000000, 0x04000000):
        assert verdict("clone", new | 17, is_shared=is_shared) == ERRNO | EPERM


@BOTH
def test_nothing_is_typed_into_terminals(is_shared: bool) -> None:
    for request, expected in ((0x5412, EPERM), (0x541C, EPERM)):
        assert verdict("ioctl", 0, request, is_shared=is_shared) == ERRNO | expected
        assert verdict("ioctl", 0, request | 1 << 32, is_shared=is_shared) == ERRNO | expected
    assert verdict("ioctl", 0, 0x5401, is_shared=is_shared) == ALLOW
