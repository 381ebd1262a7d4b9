"""What fields are, in the words that stand below them in `shared`, for the API's document.

Read from the sources once, when the document is wanted: models that kept their words themselves
would cost every command a tenth of a second. A frozen hub has no sources, and tells types alone.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

VOCABULARY = "shared."


class Class(NamedTuple):
    bases: tuple[str, ...]
    words: Mapping[str, str]


class FieldWords:
    """The words below the fields of the vocabulary's models."""

    def __init__(self) -> None:
        modules = [m for name, m in sys.modules.items() if name.startswith(VOCABULARY)]
        self._classes = {name: told for module in modules for name, told in _classes(module)}

    def of(self, model: str, field: str) -> str:
        """What is said of a field, there or where it is inherited from; empty for nothing."""
        told = self._classes.get(model)
        if told is None:
            return ""
        return told.words.get(field) or next(
            (words for base in told.bases if (words := self.of(base, field))), ""
        )


def _classes(module: ModuleType) -> Iterator[tuple[str, Class]]:
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        return
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
            yield node.name, Class(bases, dict(_words(node)))


def _words(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Each field that a string stands below."""
    for field, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            yield field.target.id, inspect.cleandoc(below.value.value)
