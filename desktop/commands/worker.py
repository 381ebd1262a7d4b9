"""What several commands need to know of the worker: exit codes, its hub, its token."""

from __future__ import annotations

from desktop.core.link import LinkStatus, token_missing
from desktop.store import facts
from desktop.system.paths import Paths
from shared.database import peek
from shared.errors import AppError, NotFound

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_REFUSED = 3
"""The hub does not know this worker any more: starting it again would not help."""


class Refused(AppError):
    """The hub does not know this worker any more."""

    def __init__(self, status: LinkStatus) -> None:
        assert status.error is not None
        super().__init__(status.error.code, status.error.message, status.error.hint)


def exit_code(error: AppError) -> int:
    return EXIT_REFUSED if isinstance(error, Refused) else EXIT_FAILED


def pairing_of(paths: Paths) -> facts.Pairing:
    """Read which hub this machine belongs to, beside a worker that may be running.

    Raises:
        NotFound: `not_paired`.
    """
    if not paths.store.exists():
        raise not_paired()
    with peek(paths.store) as connection:
        pairing = facts.pairing(connection)
    if pairing is None:
        raise not_paired()
    return pairing


def token_of(paths: Paths, pairing: facts.Pairing) -> str:
    """Read this machine's token.

    Raises:
        Unavailable: `token_missing`.
    """
    from desktop.system.credentials import load_secret

    token = load_secret(entry=pairing.worker_id, file=paths.token)
    if token is None:
        raise token_missing()
    return token


def not_paired() -> NotFound:
    return NotFound(
        "not_paired",
        "This machine belongs to no hub yet.",
        "Ask your hub for a code (/connect in the chat), then: deskhand pair CODE --hub URL",
    )
