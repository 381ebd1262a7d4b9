"""What a generated request to the API is given that only the running hub can know.

Loaded by schemathesis (`tests.flows.test_api_conformance`), which sees nothing but the schema.
"""

from __future__ import annotations

import ast
import random
import threading
import uuid
from typing import Any

import schemathesis

NOW = "wait_seconds"


class _OneAtATime:
    """Threads of Python 3.11 that parse at the same time stumble over each other (CPython issue
    106905), and hypothesis parses what it draws from."""

    def __init__(self) -> None:
        self._parse = ast.parse
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        with self._lock:
            return self._parse(*arguments, **named)


ast.parse = _OneAtATime()
ASKING = frozenset({"create_task", "enqueue_job", "create_job"})
"""Operations whose inputs depend on the kind that is asked for."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Keep valid requests valid where the schema cannot say how."""
    name = case.operation.definition.raw.get("operationId", "")
    _be_quick(case)
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return
    headers = case.headers or {}
    if headers.get("Idempotency-Key"):
        # The same key with another body is refused, as it is to be.
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if isinstance(case.body, dict) and name in ASKING and isinstance(case.body.get("inputs"), dict):
        case.body["inputs"] = {"number": random.randrange(3)}


def _be_quick(case: Any) -> None:
    """Ask nothing to be held open: other tests do, and a run is to end."""
    for part in (case.query, case.body):
        if isinstance(part, dict) and isinstance(part.get(NOW), int | float):
            part[NOW] = 0
    if case.path.endswith("/queue/questions/{question_id}") and isinstance(case.query, dict):
        case.query.setdefault(NOW, 0)
    if case.path.endswith("/queue/claim") and isinstance(case.body, dict):
        case.body.setdefault(NOW, 0)
