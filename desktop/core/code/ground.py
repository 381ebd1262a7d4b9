"""What stands on a machine, as far as boxes are concerned, and which paths a box may be given.

A box shows the system's programs and settings, the worker's own Python, and the owner's tools; not
the person's files, not other disks, not the worker's data. What is not named here is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from desktop.core.code.box import Box
from shared.errors import BadInput

SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu",
    "/snap", "/sys/devices/system", "/var/cache/fontconfig", "/var/lib/dpkg", "/run/current-system",
    "/System", "/Library", "/Applications/Xcode.app", "/private/etc", "/private/var/db/timezone",
)  # fmt: skip
"""Programs, libraries and settings; everything else of the machine's root is not shown."""
SYSTEM_SECRETS = (
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers",
    "/etc/sudoers.d", "/etc/ssh", "/etc/ssl/private", "/etc/pki/tls/private", "/etc/wireguard",
    "/etc/openvpn", "/etc/NetworkManager/system-connections", "/etc/ppp", "/etc/krb5.keytab",
    "/etc/docker", "/etc/kubernetes", "/etc/rancher", "/etc/letsencrypt", "/etc/netrc",
    "/etc/security/opasswd", "/etc/polkit-1", "/etc/samba", "/etc/cups", "/etc/credstore",
    "/etc/credstore.encrypted", "/etc/crypttab", "/etc/mysql", "/etc/environment",
    "/etc/boto.cfg", "/etc/pip.conf", "/etc/gitconfig", "/etc/npmrc",
)  # fmt: skip
"""Below SYSTEM and still hidden: a worker that runs as root could read them all."""
HOME_SECRETS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".config", ".docker", ".kube", ".netrc", ".npmrc",
    ".pypirc", ".git-credentials", ".gitconfig", ".password-store", ".mozilla", ".thunderbird",
    ".local/share", ".bash_history", ".zsh_history", ".python_history", ".cargo/credentials.toml",
    ".cargo/credentials", ".claude", ".codex", ".gemini", ".qwen", ".m2/settings.xml",
    ".gradle/gradle.properties", ".terraform.d", ".vault-token", ".pgpass", ".my.cnf", ".netlify",
)  # fmt: skip
"""Of a home folder: never shown, also when an owner's rule names something around or in them."""
OF_LOADER = ("LD_", "DYLD_", "GCONV_PATH")
TOOLS = (
    ".cargo/bin", ".rustup", ".nvm", ".volta", ".fnm", ".bun/bin", ".deno/bin", ".pyenv", ".rbenv",
    ".asdf", ".sdkman/candidates", ".goenv", ".nodenv", ".jenv", ".ghcup", ".juliaup", ".dotnet",
    ".local/bin", ".local/lib", ".local/pipx", ".local/go", "go/bin", ".npm-global/bin",
    ".npm-global/lib", "miniconda3", "miniforge3", "anaconda3", ".local/share/uv/python",
    ".local/share/uv/tools", ".local/share/fnm", ".local/share/mise/installs",
    ".local/share/pipx", ".local/share/pnpm", ".local/share/nvm",
)  # fmt: skip
"""Of a home folder: tool chains without credentials, shown besides those that the owner names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stands here; looked up once by `desktop/jobs/code/sandbox/survey.py`. Paths are real."""

    system: tuple[Path, ...]
    """Those of SYSTEM that are folders of their own."""
    links: tuple[tuple[Path, str], ...] = ()
    """Those of SYSTEM that are links (/bin), with what they say."""
    secret_files: tuple[Path, ...] = ()
    """Those of SYSTEM_SECRETS that are there."""
    secret_folders: tuple[Path, ...] = ()
    mixed: Mapping[Path, tuple[Path, ...]] = field(default_factory=dict)
    """Folders of the system with secrets below them: what else is in each."""
    tools: tuple[Path, ...] = ()
    """Tool chains and the worker's own Python and code."""
    listed: tuple[Path, ...] = ()
    """Where the worker's packages lie: names may be listed there, or Python would not find them."""
    relay: tuple[str, ...]
    """Command of the relay, which is first in a box: port, socket, "--" and a command follow."""
    guarded: tuple[Path, ...]
    """Homes, the worker's folders of data and settings, places of sockets: never shown whole."""
    path: str
    """PATH of the worker."""
    language: Mapping[str, str]
    """LANG, LC_*, TZ and TERM of the worker."""


def check_box(box: Box, ground: Ground) -> None:
    """See that nothing of a box uncovers what is to be hidden.

    Raises:
        BadInput: `box_path`.
    """
    for path in (*box.writable_all, *box.read_only):
        if not path.is_absolute() or ".." in path.parts:
            raise _refused(path, "is not absolute")
        if any(guard.is_relative_to(path) for guard in ground.guarded):
            raise _refused(path, "would uncover what is hidden")
    for path in box.writable_all:
        if any(path.is_relative_to(place) for place in ground.tools):
            raise _refused(path, "is part of a tool that every box uses")
        if any(system.is_relative_to(path) for system in ground.system):
            raise _refused(path, "holds the system's programs")
    # In a writable folder the job before may have put a link to anywhere in its place.
    gateway = () if box.gateway is None else (box.gateway,)
    for path in (*box.read_only, *gateway):
        if any(path.is_relative_to(place) for place in box.writable_all):
            raise _refused(path, "would be writable with what it lies in")


def is_secret(path: Path, home: Path) -> bool:
    """Say whether a folder of tools may not be shown: a secret, in one, or around one."""
    secrets = [home / name for name in HOME_SECRETS]
    tools = [home / name for name in TOOLS]
    if any(path.is_relative_to(tool) for tool in tools):
        return False
    return any(path.is_relative_to(it) or it.is_relative_to(path) for it in secrets)


def search_path(ground: Ground, box: Box) -> str:
    """Return PATH for a box: of the worker's, what can be seen in it."""
    shown = visible(ground, box)
    links = tuple(link for link, _ in ground.links)
    kept: list[str] = []
    for entry in ground.path.split(":"):
        where = Path(entry)
        if entry.startswith("/") and _is_below(where, (*shown, *links)) and entry not in kept:
            kept.append(entry)
    kept += [entry for entry in ("/usr/bin", "/bin") if entry not in kept]
    return ":".join(kept)


def visible(ground: Ground, box: Box) -> tuple[Path, ...]:
    """Return the folders that a box can read, what it may write included."""
    return (*ground.system, *ground.tools, *box.read_only, *box.writable_all)


def environment(ground: Ground, box: Box, *, temporary: Path) -> dict[str, str]:
    """Return the whole environment of a box: an allow-list, then the box's own words."""
    ours = {
        "HOME": str(box.home),
        "PATH": search_path(ground, box),
        "TMPDIR": str(temporary),
        "USER": "deskhand",
        "LOGNAME": "deskhand",
        "SHELL": "/bin/sh",
        "XDG_CACHE_HOME": str(box.home / ".cache"),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **ground.language,
    }
    # The loader reads its variables before there is a box: nothing of a job's is loaded there.
    own = {name: value for name, value in box.env.items() if not name.startswith(OF_LOADER)}
    return ours | own


def outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Leave out what lies below another path, and sort: what is around comes first."""
    kept: list[Path] = []
    for path in sorted(set(paths), key=lambda path: (len(path.parts), str(path))):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return tuple(kept)


def _is_below(path: PurePosixPath | Path, places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _refused(path: Path, why: str) -> BadInput:
    return BadInput(
        "box_path",
        f"{path} cannot be part of a sandbox: it {why}.",
        "Choose a folder that holds nothing but what the job needs.",
    )
