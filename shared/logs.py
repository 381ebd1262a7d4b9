"""One logging set-up for both programs: lines for people on a terminal, JSON for machines.

One event per line, facts as fields; `job_id`, `worker_id` and the like are bound by context.
Secrets are blotted out by a processor, whoever logs them; payloads are never logged.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

from shared import trace
from shared.errors import AppError
from shared.plain_text import escaped
from shared.redaction import BLOT, redact_text

VALUE_CHARS_MAX = 2000
FILE_BYTES_MAX = 20 * 1000**2
FILES_MAX = 5
_ENTRIES = "deskhand_entries"
_JSON, _TEXT = "deskhand json", "deskhand text"
OWN = ("desktop", "hub", "shared", "tests")
"""Whose lines at DEBUG are written when that is asked for."""
NOISY = (
    "amqp", "celery.app.trace", "celery.worker.strategy", "docker", "httpcore", "httpcore2",
    "httpx", "httpx2", "kombu", "kubernetes", "redis", "urllib3", "uvicorn.access",
    "uvicorn.error", "websockets",
)  # fmt: skip
"""These write whole URLs at INFO, and a bot's URL holds its token; or tell of every socket, task or
result. They are heard from WARNING on."""

_SECRET_NAMES = re.compile(
    r"(token|secret|passw|authorization|api[-_]?key|credential|cookie|pairing_code)", re.IGNORECASE
)
_NUMBERS = (int, float, bool, type(None))


@lru_cache(1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def redact(value: Any) -> Any:
    """Blot out secrets in a value of any shape, by name of the field and by look of the text."""
    if type(value) in _NUMBERS:
        return value  # the last case would say so, too, but the others are dear to look at
    match value:
        case str():
            return redact_text(value[:VALUE_CHARS_MAX])
        case Mapping():
            return {k: BLOT if _is_secret(str(k)) else redact(v) for k, v in value.items()}
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


@cache
def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(default=default)


def _spell(entry: Any, *, default: Callable[[Any], Any]) -> str:
    """Write JSON as `json.dumps` does, which makes an encoder for every line."""
    return _encoder(default).encode(entry)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Writes a record; one that carries many entries becomes as many lines."""

    def __init__(
        self,
        before: list[structlog.typing.Processor],
        last: list[structlog.typing.Processor],
    ) -> None:
        self._last = last
        super().__init__(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *last,
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        entries = record.__dict__.get(_ENTRIES)
        if entries is None:
            return super().format(record)
        return "\n".join(map(self._line, entries))

    def _line(self, entry: Any) -> str:
        for processor in self._last:
            entry = processor(None, "info", entry)
        return str(entry)


class _Unspilling(logging.Handler):
    """A handler that tells of a line it could not write, and nothing of what stood in it.

    The standard library's way out is to print the arguments, secrets included.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's own name)
        try:
            where = f"{record.name[:100]}:{record.lineno}"
            lost = logging.makeLogRecord({"name": __name__, "levelno": logging.ERROR})
            lost.levelname, lost.msg = "ERROR", f"a log line could not be written ({where})"
            stream: TextIO = getattr(self, "stream", None) or sys.stderr
            stream.write(self.format(lost) + "\n")
        except Exception:
            return


class _ToStream(_Unspilling, logging.StreamHandler[TextIO]):
    pass


class _ToFiles(_Unspilling, RotatingFileHandler):
    pass


def _rotating(file: Path) -> logging.Handler:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _ToFiles(
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
    handler = _ToStream(target) if file is None else _rotating(file)
    handler.name = _JSON if json_lines else _TEXT
    is_for_terminal = file is None and target.isatty()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_spell)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=is_for_terminal)
    )
    last = [_redact_entry, *([] if json_lines else [_escape_entry]), renderer]
    handler.setFormatter(_Formatter(before, last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    _set_levels(logging.getLevelNamesMapping()[level])
    _catch_what_is_printed(is_json=json_lines)


def tell_many(name: str, entries: Iterable[Mapping[str, Any]]) -> None:
    """Log a stretch of events at INFO as a logger of this name would, in one write.

    Args:
        name: of the logger.
        entries: fields, and what happened as `event`; names of fields are the caller's own.
    """
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(logging.INFO):
        return
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    around = structlog.contextvars.get_contextvars()
    told = {"level": "info", "logger": name, "timestamp": moment}
    lines = [{**around, **entry, **told} for entry in entries]
    if lines:
        record = logger.makeRecord(
            name,
            logging.INFO,
            __file__,
            0,
            "%d lines",
            (len(lines),),
            None,
            extra={_ENTRIES: lines},
        )
        logger.handle(record)


def tell_end(error: AppError) -> bool:
    """Log what ended this program; False when lines are for people, and it is to be printed."""
    if all(handler.name != _JSON for handler in logging.getLogger().handlers):
        return False
    structlog.get_logger(__name__).error(
        "program ended", code=error.code, error=error.message, hint=error.hint
    )
    return True


def _set_levels(level: int) -> None:
    root = logging.getLogger()
    # Libraries tell at DEBUG what goes over the wire: people's words, and keys.
    root.setLevel(max(level, logging.INFO))
    for own in OWN:
        logging.getLogger(own).setLevel(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _catch_what_is_printed(*, is_json: bool) -> None:
    """Have warnings logged; and what nobody caught, where lines are for machines."""
    warnings.showwarning = _log_warning
    if is_json:
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_uncaught_in_thread


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    where = f"{Path(filename).name}:{lineno}"
    logging.getLogger("py.warnings").warning("%s: %s (%s)", category.__name__, message, where)


def _log_uncaught(
    sort: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(sort, KeyboardInterrupt):
        sys.__excepthook__(sort, error, traceback)
        return
    logging.getLogger(__name__).critical("uncaught", exc_info=(sort, error, traceback))


def _log_uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not issubclass(told.exc_type, SystemExit):
        _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)
