"""One logging set-up for both programs: lines for people on a terminal, JSON for machines.

One event per line, facts as fields; `job_id`, `worker_id` and the like are bound by context.
Secrets are blotted out by a processor, whoever logs them; payloads are never logged.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog

from shared import trace
from shared.plain_text import escaped
from shared.redaction import BLOT, redact_text

VALUE_CHARS_MAX = 2000
FILE_BYTES_MAX = 20 * 1000**2
FILES_MAX = 5

_SECRET_NAMES = re.compile(
    r"(token|secret|passw|authorization|api_?key|credential|cookie|pairing_code)", re.IGNORECASE
)


def redact(value: Any) -> Any:
    """Blot out secrets in a value of any shape, by name of the field and by look of the text."""
    match value:
        case str():
            return redact_text(value[:VALUE_CHARS_MAX])
        case Mapping():
            return {
                k: BLOT if _SECRET_NAMES.search(str(k)) else redact(v) for k, v in value.items()
            }
        case list() | tuple() | set():
            return [redact(v) for v in value]
        case _:
            return value


def _redact_entry(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    cleaned = redact(entry)
    assert isinstance(cleaned, dict)
    return cleaned


def _escape_entry(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep what others said on the one line it belongs to; JSON does so by itself.

    A traceback keeps its lines.
    """
    for name, value in entry.items():
        if isinstance(value, str):
            lines = value.split("\n") if name == "exception" else [value]
            entry[name] = "\n".join(escaped(line) for line in lines)
    return entry


def _name_trace(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Name the trace that a line belongs to, unless it names one itself."""
    if "trace_id" not in entry and (trace_id := trace.trace_id_of(trace.current())):
        entry["trace_id"] = trace_id
    return entry


def _rotating(file: Path) -> logging.Handler:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return RotatingFileHandler(
        file, maxBytes=FILE_BYTES_MAX // FILES_MAX, backupCount=FILES_MAX - 1, encoding="utf-8"
    )


def configure(
    *,
    json_lines: bool,
    level: str = "INFO",
    stream: TextIO | None = None,
    file: Path | None = None,
) -> None:
    """Set up logging for the whole process.

    Args:
        json_lines: machine-readable lines; otherwise lines for people.
        level: "DEBUG", "INFO", "WARNING" or "ERROR".
        stream: where to write; standard error when None, for standard output is for answers.
        file: written to instead of a stream, for its owner alone, in a few files that stay below
            FILE_BYTES_MAX together.
    """
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _name_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    target = stream or sys.stderr
    handler = logging.StreamHandler(target) if file is None else _rotating(file)
    is_for_terminal = file is None and target.isatty()
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=is_for_terminal)
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact_entry,
                *([] if json_lines else [_escape_entry]),
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These write whole URLs at INFO, and a bot's URL holds its token; or tell of every socket.
    for noisy in (
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "websockets",
        "uvicorn.access",
        "uvicorn.error",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
