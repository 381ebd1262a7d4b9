"""Starts a command behind both walls, serves it, and ends all that it started when it is over."""

from __future__ import annotations

import errno
import itertools
import marshal
import os
import signal
import struct
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

if __name__ == "__main__":
    # Behind all else that is looked for: the standard library is never found in our folder.
    sys.path.append(__file__.rsplit("/", 5)[0])

from desktop.jobs.code.landlock_box.kernel import (
    PIDFD_GETFD,
    PIDFD_OPEN,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    Suppressed,
    call,
    prctl,
    read_text,
)
from desktop.jobs.code.landlock_box.supervisor import Supervisor
from desktop.jobs.code.landlock_box.walls import (
    first_wall,
    give_up_rights,
    install_filter,
    second_wall,
    set_limits,
)

ROUNDS = 20
"""How often what is left is killed; once is enough but for what is being born."""
REAPER_LOOKS = 200
LOOK_SECONDS = 0.001
LEAVING_SECONDS = 5
FILES_MAX = 1 << 20


def behind_both(wall: dict[str, object], argv: list[str], ours: int, go: int, end: int) -> NoReturn:
    """Be the command: behind the second wall and the filter. Never returns."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    second_wall()
    check_signals(os.getppid())
    listener = install_filter(bytes.fromhex(str(wall["filter"])))
    if os.fork() == 0:
        os.close(listener)
        os.close(ours)
        os.close(go)
        _reap(end)
    os.close(end)
    os.write(ours, struct.pack("=i", listener))
    os.read(go, 1)  # from now on the supervisor has its own copy
    os.closerange(3, FILES_MAX)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - this is what the program is for
    except OSError as error:
        _say(f"{argv[0]}: {error.strerror}")
        os._exit(126 if isinstance(error, PermissionError) else 127)


def check_signals(outer: int) -> None:
    """See that no signal goes through the wall, for the reaper sends one to all that it reaches."""
    try:
        os.kill(outer, 0)  # nothing is sent
    except PermissionError:
        return
    raise OSError(errno.ENOTSUP, "signals are not held back here")


def _say(words: str) -> None:
    os.write(2, f"{words}\n".encode(errors="replace"))


def _reap(end: int) -> NoReturn:
    """Wait for the supervisor's end or word, then end all that is behind the walls."""
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    with Suppressed(OSError):
        os.read(end, 1)
    for _ in range(ROUNDS):
        with Suppressed(OSError):
            os.kill(-1, signal.SIGKILL)
    os._exit(0)


def supervise(wall: dict[str, object], argv: list[str]) -> int:
    """Start the command and serve it; return its status once all it started is gone."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    number_in, number_out = os.pipe()
    go_in, go_out = os.pipe()
    end_in, end_out = os.pipe()
    child = os.fork()
    if child == 0:
        for other in (number_in, go_out, end_out):
            os.close(other)
        try:
            behind_both(wall, argv, number_out, go_in, end_in)
        except OSError as error:
            _say(f"landlock: {error.strerror}")
        os._exit(125)
    for other in (number_out, go_in, end_in):
        os.close(other)
    told = os.read(number_in, 4)
    if len(told) == 4:
        pidfd = call(PIDFD_OPEN, child, 0)
        listener = call(PIDFD_GETFD, pidfd, struct.unpack("=i", told)[0], 0)
        threading.Thread(target=Supervisor(listener, wall).serve, daemon=True).start()
        os.write(go_out, b"g")
    status = _wait_for(child)
    os.close(end_out)
    _end_the_rest()
    return status


def _wait_for(child: int) -> int:
    """Wait for the command, and meanwhile bury what others left to us."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _end_the_rest() -> None:
    """Wait for all that was started; what the reaper did not reach is killed one by one."""
    signal.alarm(LEAVING_SECONDS)  # whatever cannot be killed is not waited for
    with Suppressed(ChildProcessError):
        for look in itertools.count():
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(LOOK_SECONDS)
                if look > REAPER_LOOKS:
                    _kill_children()


def _kill_children() -> None:
    with Suppressed(OSError):
        children = read_text(f"/proc/self/task/{os.getpid()}/children")
        for pid in children.split():
            with Suppressed(OSError):
                os.kill(int(pid), signal.SIGKILL)


def main(words: list[str]) -> int:
    told, _, *argv = words
    wall = marshal.loads(bytes.fromhex(told))  # noqa: S302 - our own starter's
    parent = os.getppid()
    with Suppressed(OSError):
        os.setsid()  # whoever kills our group leaves us alive to end all that left it
    signal.signal(signal.SIGTERM, _stop)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return 1
    # Whatever the memory is short for, the box goes first.
    with Suppressed(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
    set_limits(wall["limits"])
    give_up_rights()
    first_wall(wall)
    return supervise(wall, argv)


def _stop(number: int, frame: object) -> None:
    os._exit(128 + number)  # the reaper hears that our end of its pipe is closed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
