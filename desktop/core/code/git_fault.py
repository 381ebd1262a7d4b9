"""What git's words mean for the person: a code, the facts, and what to do next.

Git tells failures in sentences alone; these are the ones of git 2.30 to 2.51 in LC_ALL=C, of curl
and OpenSSH beneath it, and of the forges behind them. The first that is found counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.errors import DISK_FULL, AppError, BadInput, Conflict, NotAllowed, NotFound, Unavailable
from shared.plain_text import plain_line
from shared.redaction import redact_text

WORDS_CHARS_MAX = 200

_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_PREFIX = re.compile(r"^(?:fatal|error|remote|warning): ", re.IGNORECASE)
_NOISE = re.compile(r"^(?:hint:|Cloning into|From |To |warning:|remote: *$)")


@dataclass(frozen=True, slots=True)
class _Fault:
    sort: type[AppError]
    code: str
    message: str
    """"{where}" is the repository, "{words}" what git said."""
    hint: str
    pattern: re.Pattern[str]
    is_retryable: bool = False


def _fault(
    sort: type[AppError], code: str, message: str, hint: str, pattern: str, *, again: bool = False
) -> _Fault:
    return _Fault(sort, code, message, hint, re.compile(pattern, re.IGNORECASE), again)


_KEYS_HINT = (
    "Give a token of the forge to `deskhand keys`, or use an ssh URL and a key of your own; it "
    "needs the right to read, and to write for pushing."
)
_FAULTS = (
    _fault(
        Unavailable,
        DISK_FULL,
        "There is no space left on the disk.",
        "Free some space; what was fetched so far is kept.",
        r"no space left on device|disk quota exceeded|disk full",
        again=True,
    ),
    _fault(
        NotAllowed,
        "repository_owner",
        "{where} belongs to somebody else on this machine, so git does not read it.",
        "Take a copy of your own, or let its owner order the work.",
        r"dubious ownership|unsafe repository",
    ),
    _fault(
        Unavailable,
        "ssh_host_unknown",
        "The ssh key of {where} is not known on this machine, or is another than it was.",
        "Connect once by hand (`ssh -T HOST`) and compare the key; it is never taken unseen.",
        r"host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
    ),
    _fault(
        Unavailable,
        "repository_untrusted",
        "The certificate of {where} is not trusted ({words}).",
        "If it has its own certificate authority, name its file in the policy: ca_file under "
        "[network]. Else do not go on: somebody may stand in between.",
        r"certificate verif|SSL certificate problem|certificate has expired|self.signed",
    ),
    _fault(
        Conflict,
        "push_rejected",
        "{where} did not take the branch ({words}).",
        "Somebody else has changed it, or a rule of the repository forbids it; look there.",
        r"\[remote rejected\]|\[rejected\]|stale info|non-fast-forward|pre-receive hook declined"
        r"|protected branch|push declined",
    ),
    _fault(
        NotFound,
        "branch_missing",
        "{where} has no such branch.",
        "Name one that is there, or none for its own default.",
        r"remote branch \S+ not found|couldn't find remote ref|not our ref",
    ),
    _fault(
        NotAllowed,
        "repository_auth",
        "{where} wants to know who asks, or does not let this machine in ({words}).",
        _KEYS_HINT,
        r"authentication failed|could not read (username|password)|terminal prompts disabled"
        r"|permission denied|permission to \S+ denied|returned error: 40[13]|access denied"
        r"|write access to repository not granted|unable to read askpass|HTTP Basic",
    ),
    _fault(
        NotFound,
        "repository_not_found",
        "There is no repository {where}, or it is not shown to this machine.",
        "Check the name. A private one needs a token: `deskhand keys`.",
        r"repository .*not found|not found: did you run|does not appear to be a git repository"
        r"|returned error: 404|could not be found|no such repo|repository .* does not exist"
        r"|project you were looking for",
    ),
    _fault(
        Unavailable,
        "repository_moved",
        "{where} has moved, or its server does not speak git ({words}).",
        "Open it in a browser and take the URL for cloning from there.",
        r"unable to update url base|not valid: is this a git repository|invalid server response",
    ),
    _fault(
        NotAllowed,
        "repository_scheme",
        "{where} leads to a place that is not allowed ({words}).",
        "Name the repository by https or ssh.",
        r"(transport|protocol) '\S*' (is )?not allowed|not supported or disabled in libcurl",
    ),
    _fault(
        Unavailable,
        "repository_unreachable",
        "{where} cannot be reached ({words}).",
        "Check the network. It is tried again.",
        r"could not resolve|couldn't resolve|failed to connect|couldn't connect|connection (refused"
        r"|timed out|reset|closed)|operation (too slow|timed out)|early EOF|hung up unexpectedly"
        r"|RPC failed|network is unreachable|no route to host|returned error: (429|5\d\d)"
        r"|unable to access|broken pipe|unexpected disconnect|could not read from remote"
        r"|kex_exchange",
        again=True,
    ),
    _fault(
        BadInput,
        "repository_empty",
        "{where} has no commit yet.",
        "Make a first commit, so that there is a branch to start from.",
        r"does not have any commits|empty repository",
    ),
)
CORRUPT = "repository_corrupt"
_CORRUPT = re.compile(
    r"(object|pack|index|tree|commit|blob).{0,80}(corrupt|is empty|missing|mismatch|bad|truncated)"
    r"|bad object|corrupt|missing (blob|tree|commit)|inflate: |unable to read tree|bad tree object"
    r"|not a git repository|bad (config|signature)|unable to find [0-9a-f]{40}|could not parse"
    r"|garbage at end|broken (link|ref)|(unable|cannot|failed) to (resolve|lock|read) ref"
    r"|did not send all necessary|revision walk|not a valid object|reference broken"
    r"|ambiguous argument|unknown revision|remote did not send",
    re.IGNORECASE,
)


def fault_of(words: str, where: str) -> AppError:
    """Say what a failure of git means.

    Args:
        words: what it wrote to standard error; hostile, for servers may write there.
        where: the repository, for people.
    """
    short = shortened(words)
    for known in _FAULTS:
        if known.pattern.search(words):
            message = known.message.format(where=where, words=short)
            message = f"{message[0].upper()}{message[1:]}"
            return known.sort(known.code, message, known.hint, retryable=known.is_retryable)
    if _CORRUPT.search(words):
        return Unavailable(
            CORRUPT,
            f"This machine's copy of {where} is damaged ({short}).",
            "It is fetched anew.",
            retryable=True,
        )
    return Unavailable(
        "git_failed",
        f"Git could not go on with {where} ({short or 'it said nothing'}).",
        "Try the same by hand; if that works, report it.",
    )


def shortened(words: str) -> str:
    """Put git's last word into one harmless line without secrets."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", words) if line.strip()]
    telling = [line for line in lines if not _NOISE.match(line)]
    rejected = [line for line in telling if "rejected]" in line]
    fatal = [line for line in telling if line.startswith(("fatal:", "error:", "ERROR:"))]
    line = next(iter([*rejected, *fatal, *reversed(telling)]), "")
    line = _USERINFO.sub("", _PREFIX.sub("", line))
    return redact_text(plain_line(line))[:WORDS_CHARS_MAX].rstrip(".: ")
