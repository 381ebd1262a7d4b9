"""A Box as a profile for macOS's `sandbox-exec`, in Apple's own language of rules.

Everything is denied that is not named. Files' names and dates can be seen everywhere (programs
cannot find their way otherwise), what is in them cannot. The relay runs outside, so that the one
port on this machine's loopback is all of the network there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from desktop.core.code.box import Box
from desktop.core.code.ground import Ground, check_box, outermost

PROGRAM = "/usr/bin/sandbox-exec"
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/dtracehelper")
SERVICES = (
    "com.apple.system.opendirectoryd.libinfo", "com.apple.system.notification_center",
    "com.apple.system.logger", "com.apple.trustd", "com.apple.trustd.agent",
    "com.apple.CoreServices.coreservicesd",
)  # fmt: skip
"""Of the system's, those that ordinary command line programs ask; none of the keychain's."""
READ_ALWAYS = ("/private/var/db/dyld", "/private/var/select", "/usr/share", "/dev/fd")
FIRST = """(version 1)
(deny default)
(allow process-fork)
(allow process-exec)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow ipc-posix-sem)
(allow file-read-metadata)
(allow file-read* (literal "/"))"""


def arguments(box: Box, ground: Ground, argv: Sequence[str]) -> list[str]:
    """Return the whole command.

    Raises:
        BadInput: `box_path`.
    """
    return [PROGRAM, "-p", profile(box, ground), "--", *argv]


def profile(box: Box, ground: Ground) -> str:
    """Return the profile's text.

    Raises:
        BadInput: `box_path`.
    """
    check_box(box, ground)
    shown = outermost((*ground.system, *ground.tools, *box.read_only, *map(Path, READ_ALWAYS)))
    secret = (*ground.secret_files, *ground.secret_folders)
    writable = outermost(box.writable_all)
    return "\n".join(
        [
            FIRST,
            _rule("allow file-read*", _below(shown)),
            # Of two rules that match, the later one counts.
            *([_rule("deny file-read*", _below(secret))] if secret else []),
            _rule("allow file-read* file-write*", _below(writable)),
            _rule("allow file-read* file-write-data", (f"(literal {_text(it)})" for it in DEVICES)),
            _rule("deny file-write-setugid", ['(subpath "/")']),
            _rule("allow mach-lookup", (f"(global-name {_text(name)})" for name in SERVICES)),
            *_network(box),
        ]
    )


def _network(box: Box) -> Iterable[str]:
    if box.gateway is not None:
        yield f'(allow network-outbound (remote ip "localhost:{box.port}"))'


def _below(paths: Iterable[Path]) -> Iterable[str]:
    return (f"(subpath {_text(str(path))})" for path in paths)


def _rule(verb: str, targets: Iterable[str]) -> str:
    return "\n  ".join([f"({verb}", *targets]) + ")"


def _text(words: str) -> str:
    """Quote a path; it may hold whatever a file's name may."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
