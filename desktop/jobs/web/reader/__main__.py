"""Main of the reader: `reader FILE SORT CHARSET`; see `desktop.jobs.web.reader`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from desktop.core.web.sorts import Sort
from desktop.jobs.web.reader.told import Told

MEMORY_BYTES_MAX = 3 * 1024**3
"""Of addresses, which is more than is ever used: libraries reserve what they do not touch."""
CPU_SECONDS_MAX = 60
DEPTH_MAX = 20_000
"""Of Python's stack; pages may be nested as deep as their authors please."""


def main(words: list[str]) -> int:
    """Read a document; what cannot be read is told, too."""
    bound()
    file, sort, charset = Path(words[0]), Sort(words[1]), words[2]
    # Libraries print; the one line of standard output is ours.
    with contextlib.redirect_stdout(sys.stderr):
        read = _read(file.read_bytes(), sort, charset)
    # Halves of characters cannot be written, and no page has a use for them.
    line = read.model_dump_json().encode("utf-8", "replace")
    sys.stdout.buffer.write(line + b"\n")
    return 0


def bound() -> None:
    """Live under limits, where the system has them."""
    if sys.platform == "win32":
        return
    import resource

    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, CPU_SECONDS_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


def _read(body: bytes, sort: Sort, charset: str) -> Told:
    try:
        if sort is Sort.HTML:
            from desktop.jobs.web.reader.html_page import read_page

            return read_page(body, charset)
        from desktop.jobs.web.reader.documents import read_document

        return read_document(body, sort)
    except MemoryError:
        return Told(fault="it takes more memory than a page may")
    except Exception as error:
        return Told(fault=f"it is broken ({type(error).__name__})"[:300])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
