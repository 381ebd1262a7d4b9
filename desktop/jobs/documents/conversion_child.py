"""The process that reads one PDF or Office file: FILE and OUT are its arguments."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.jobs.documents.conversion import (
    BROKEN_STATUS,
    LARGE_STATUS,
    MEMORY_BYTES_MAX,
    MISSING_STATUS,
    SECONDS_MAX,
    TEXT_BYTES_MAX,
)


def main(arguments: Sequence[str]) -> int:
    """Convert; the status says what went wrong."""
    source, made = map(Path, arguments)
    _limit()
    warnings.simplefilter("ignore")
    try:
        text = _text(source)
    except ImportError:
        return MISSING_STATUS
    except (MemoryError, RecursionError):
        return LARGE_STATUS
    except Exception as error:  # readers of broken files raise whatever they like
        is_missing = "Dependency" in type(error).__name__
        return MISSING_STATUS if is_missing else BROKEN_STATUS
    made.write_bytes(text.encode("utf-8", "replace")[:TEXT_BYTES_MAX])
    return 0


def _text(path: Path) -> str:
    """Read by the one converter that the ending names: what is in a file is never guessed."""
    from markitdown import DocumentConverter, StreamInfo
    from markitdown.converters import DocxConverter, PdfConverter, PptxConverter, XlsxConverter

    converters: dict[str, Callable[[], DocumentConverter]] = {
        ".pdf": PdfConverter,
        ".docx": DocxConverter,
        ".xlsx": XlsxConverter,
        ".pptx": PptxConverter,
    }
    ending = path.suffix.lower()
    with path.open("rb") as file:
        made = converters[ending]().convert(file, StreamInfo(extension=ending))
    return str(made.markdown)


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource

    seconds = int(SECONDS_MAX) + 5
    for limit, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, MEMORY_BYTES_MAX)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
