"""Repositories as people name them, parsed so strictly that git can read nothing else into them.

A folder of this machine, an https or ssh URL, git's short form of that ("git@host:path"), or
"owner/name" of a forge that is known. Everything else is refused with what is wrong: helpers
("ext::"), options ("--upload-pack=..."), passwords, hosts and paths that read as two things.
What the owner allows of them is decided in `repository_rules`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType

from shared.errors import BadInput
from shared.kinds.code import REPOSITORY_CHARS_MAX
from shared.loopback import is_loopback
from shared.plain_text import plain_line

SEGMENTS_MAX = 20
HOST_CHARS_MAX = 253
HINT = (
    "Name a folder of this machine, https://HOST/OWNER/NAME, git@HOST:OWNER/NAME, or OWNER/NAME "
    "for GitHub."
)
FORGES: Mapping[str, str] = MappingProxyType(
    {"github": "github.com", "gitlab": "gitlab.com", "codeberg": "codeberg.org"}
)
"""What "github:owner/name" means; "owner/name" alone is GitHub's."""

_NO_HOSTS = frozenset(
    (*FORGES, "data", "ext", "file", "ftp", "git", "http", "https", "javascript", "mailto", "ssh")
)
"""Whoever writes "https:x" means no host of that name."""
_HELPER = re.compile(r"[A-Za-z0-9+.\-_]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):/{1,2}")
_SHORT = re.compile(r"(?:(github|gitlab|codeberg):)?([A-Za-z0-9][\w.-]*)/([\w.-]+)", re.ASCII)
_SCP = re.compile(r"(?:([^@/:]*)@)?(\[[^\]]*\]|[^@/:\[\]]+):(?!//)(.+)", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~+=@,!-]|%20)+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_SECRET = re.compile(r"(?:[a-z+]*://)?[^/@]*:[^/@]*@", re.IGNORECASE)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


class Scheme(StrEnum):
    FOLDER = "folder"
    HTTPS = "https"
    HTTP = "http"
    SSH = "ssh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where a repository is. Only `parse_repository` and `of_folder` make one of outside words."""

    scheme: Scheme
    path: str
    """Of a folder as it is written, "~" allowed; of ssh with a "/" before it when it is absolute,
    of http never."""
    host: str = ""
    """In small letters, an IPv6 address without brackets."""
    port: int | None = None
    user: str = ""
    """Of ssh alone."""

    @property
    def url(self) -> str:
        """What git is given."""
        if self.scheme is Scheme.FOLDER:
            return self.path
        user = f"{self.user}@" if self.user else ""
        if self.scheme is not Scheme.SSH:
            return f"{self.scheme}://{self.netloc}/{self.path}"
        if self.path.startswith("/"):
            return f"ssh://{user}{self.netloc}{self.path}"
        return f"{user}{self.netloc}:{self.path}"

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def slug(self) -> str:
        """Its path as forges name it: "owner/name"."""
        return self.path.strip("/").removesuffix(".git")

    @property
    def name(self) -> str:
        """Its last part: "name"."""
        return re.split(r"[/\\]", self.path.rstrip("/\\"))[-1].removesuffix(".git") or "repository"

    @property
    def shown(self) -> str:
        """For people: "github.com/owner/name"."""
        return self.path if self.scheme is Scheme.FOLDER else f"{self.netloc}/{self.slug}"

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read or change it; what stays on this machine is."""
        return self.scheme is not Scheme.HTTP or is_loopback(self.host)

    @property
    def key(self) -> str:
        """A name for its mirror's folder: the same for the same place, never a path's part."""
        place = self.path if self.scheme is Scheme.FOLDER else f"{self.scheme}:{self.url}"
        digest = sha256(place.removesuffix(".git").encode(errors="surrogatepass")).hexdigest()
        letters = re.sub(r"[^A-Za-z0-9]+", "-", self.name)[:30].strip("-") or "repository"
        return f"{letters.lower()}-{digest[:16]}"


def of_folder(path: str) -> Repository:
    """Return the repository of a folder whose path is known to be good: resolved, and allowed."""
    return Repository(scheme=Scheme.FOLDER, path=path)


def parse_repository(text: str) -> Repository:
    """Read what a person, a program or a stranger's config calls a repository.

    Raises:
        BadInput: `repository_invalid`, `repository_with_secret`.
    """
    text = text.strip(" ")
    _check_text(text)
    if short := _SHORT.fullmatch(text):
        return _of_forge(*short.groups())
    if _DRIVE.match(text) or text.startswith(("/", "~", "./", ".\\", "\\\\")) or _is_bare(text):
        return _folder(text)
    if scheme := _SCHEME.match(text):
        return _of_url(text, scheme[1].lower(), text[scheme.end() :])
    if scp := _SCP.fullmatch(text):
        return _of_scp(scp[1], scp[2], scp[3])
    raise _invalid(text, "it is neither a folder nor a URL")


def _check_text(text: str) -> None:
    """Refuse what no kind of name may hold."""
    if not text:
        raise _invalid(text, "nothing is named")
    if len(text) > REPOSITORY_CHARS_MAX:
        raise _invalid(text, f"it is longer than {REPOSITORY_CHARS_MAX} characters")
    if plain_line(text) != text:
        raise _invalid(text, "it holds characters that do not show")
    if text.startswith("-"):
        raise _invalid(text, 'it begins with "-", as an option does')
    if _SECRET.match(text):
        raise _with_secret()
    if _HELPER.match(text):
        raise _invalid(text, 'names with "::" run programs')


def _is_bare(text: str) -> bool:
    """Say whether it is one word, as a folder in an allowed folder is called."""
    return not re.search(r"[:/\\@]", text)


def _folder(text: str) -> Repository:
    return Repository(scheme=Scheme.FOLDER, path=text)


def _of_forge(forge: str | None, owner: str, name: str) -> Repository:
    path = f"{owner}/{name}"
    _check_path(path, path)
    return Repository(scheme=Scheme.HTTPS, host=FORGES[forge or "github"], path=path)


def _of_url(text: str, scheme: str, rest: str) -> Repository:
    if not text[len(scheme) :].startswith("://"):
        raise _invalid(text, 'after the scheme "://" has to follow')
    if scheme == "file":
        return _of_file_url(text, rest)
    if scheme not in (Scheme.HTTPS, Scheme.HTTP, Scheme.SSH):
        raise _invalid(text, f'"{plain_line(scheme)[:20]}" is no way that is taken')
    authority, slash, path = rest.partition("/")
    if not slash or not path:
        raise _invalid(text, "the path is missing")
    userinfo, at, place = authority.rpartition("@")
    user = _user(text, userinfo, is_ssh=scheme == Scheme.SSH) if at else ""
    host, port = _host_and_port(text, place)
    path = path.rstrip("/")
    _check_path(text, path)
    path = f"/{path}" if scheme == Scheme.SSH else path
    return Repository(scheme=Scheme(scheme), user=user, host=host, port=port, path=path)


def _of_file_url(text: str, rest: str) -> Repository:
    path = rest.removeprefix("localhost")
    if not path.startswith("/") or path.startswith("//"):
        raise _invalid(text, "a file:// URL of another machine is not taken")
    if "%" in path or "?" in path or "#" in path:
        raise _invalid(text, "write the folder without file://")
    return _folder(path)


def _of_scp(user: str | None, host: str, path: str) -> Repository:
    text = f"{user}@{host}:{path}" if user is not None else f"{host}:{path}"
    told = _user(text, user, is_ssh=True) if user is not None else ""
    if user is None and host.lower() in _NO_HOSTS:
        raise _invalid(text, f'"{host}:" has to be followed by what belongs to it')
    name, _ = _host_and_port(text, host)
    bare = path.rstrip("/")
    _check_path(text, bare.removeprefix("/"))
    return Repository(scheme=Scheme.SSH, user=told, host=name, path=bare)


def _user(text: str, userinfo: str, *, is_ssh: bool) -> str:
    """Refuse whoever writes a password or a token into a URL; it would end up in logs."""
    if not is_ssh:
        raise _with_secret()
    if not _USER.fullmatch(userinfo):
        raise _invalid(text, "the name before the @ is none")
    return userinfo


def _host_and_port(text: str, place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        inner, end, tail = place[1:].partition("]")
        host = _ipv6(text, inner if end else "")
    else:
        host, colon, digits = place.partition(":")
        tail = colon + digits
        host = _host(text, host.lower())
    if not tail:
        return host, None
    digits = tail.removeprefix(":")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise _invalid(text, "the port is no number")
    if not 0 < int(digits) < 65536:
        raise _invalid(text, "there is no such port")
    return host, int(digits)


def _ipv6(text: str, inner: str) -> str:
    try:
        return str(ipaddress.IPv6Address("" if "%" in inner else inner))
    except ValueError:
        raise _invalid(text, "the address in brackets is none") from None


def _host(text: str, host: str) -> str:
    """Check a host's name; numbers that only some programs read as addresses are refused."""
    labels = host.split(".")
    if len(host) > HOST_CHARS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid(text, "the host is none; other letters are written as xn--")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise _invalid(text, "the host is no address that all programs read alike") from None
    return host


def _check_path(text: str, path: str) -> None:
    segments = path.split("/")
    if len(segments) > SEGMENTS_MAX:
        raise _invalid(text, f"its path has more than {SEGMENTS_MAX} parts")
    for segment in segments:
        if segment in ("", ".", "..") or segment.startswith("-"):
            raise _invalid(text, f'"{plain_line(segment)[:20]}" can be no part of its path')
        if not _SEGMENT.fullmatch(segment):
            raise _invalid(text, f'"{plain_line(segment)[:40]}" holds what no path may')
    if not path.removesuffix(".git").strip("/."):
        raise _invalid(text, "it has no name")


def _with_secret() -> BadInput:
    return BadInput(
        "repository_with_secret",
        "A URL with a name or a password in it is not taken.",
        "Leave out what stands before the @, and give the token to `deskhand keys`.",
    )


def _invalid(text: str, why: str) -> BadInput:
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:60])
    return BadInput("repository_invalid", f'"{shown}" cannot be a repository: {why}.', HINT)
