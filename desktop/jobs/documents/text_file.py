"""Reads a text file so that it can be written again as it was: encoding, mark, line ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.jobs.data.encoding import encoding_of, fingerprint
from desktop.jobs.documents.changes import read_bytes, sha256
from shared.errors import BadInput, LimitReached, NotFound
from shared.kinds import file_name_of

BYTES_MAX = 4 * 1000 * 1000
"""Of a text that is changed; larger ones are data, and no text that anybody edits."""


@dataclass(frozen=True, slots=True)
class TextFile:
    content: bytes
    text: str
    """Line ends as they are in the file."""
    encoding: str
    """A Python codec."""

    @property
    def sha256(self) -> str:
        return sha256(self.content)

    def encoded(self, text: str, name: str) -> bytes:
        """Write a new text in the file's own encoding.

        Raises:
            BadInput: `letters_missing`.
        """
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            letter = text[error.start]
            raise BadInput(
                "letters_missing",
                f"{name} is written in {self.encoding}, which has no '{letter}'.",
                "Save it as UTF-8 first, or leave that letter out.",
            ) from None


def read_text_file(path: Path) -> TextFile:
    """Read a text file.

    Raises:
        BadInput: `file_binary`.
        LimitReached: `file_too_large`.
        NotFound: `file_missing`.
        NotAllowed: `file_unreadable`.
    """
    name = file_name_of(path.name)
    content = read_bytes(path)
    if content is None:
        raise NotFound("file_missing", f"{name} is gone.", "Check its name.")
    if len(content) > BYTES_MAX:
        raise LimitReached(
            "file_too_large",
            f"{name} has {len(content) / 1e6:,.1f} MB; texts up to {BYTES_MAX // 10**6} MB are"
            " changed.",
            "Change it in an editor on that machine.",
        )
    try:
        encoding = encoding_of(fingerprint(path), name)
        text = content.decode(encoding)
    except (BadInput, UnicodeDecodeError):
        raise _no_text(name) from None
    # "utf-16" would choose its own byte order when it is written.
    if text.encode(encoding) != content:
        raise _no_text(name)
    return TextFile(content, text, encoding)


def _no_text(name: str) -> BadInput:
    return BadInput(
        "file_binary",
        f"{name} is no plain text.",
        "Read it with /read, and write a new document with /write.",
    )
