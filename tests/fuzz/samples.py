"""Plausible values of any of our types, made at random from the types themselves.

New messages and events are fuzzed from the day they are written, because nobody lists them here.
"""

from __future__ import annotations

import enum
import random
import types
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.events import Event, EventBody
from shared.messages import FromHub, FromWorker

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVENT_BODIES: tuple[type[BaseModel], ...] = get_args(EventBody)
FROM_WORKER: tuple[type[BaseModel], ...] = get_args(FromWorker)
FROM_HUB: tuple[type[BaseModel], ...] = get_args(FromHub)
WORDS = ("x", "file", "yes", "1", "ml.train", "probe.run", "code.push", "sales.csv", "ж", "")


class Maker:
    """Makes values. Ids come from a pool, so that messages speak of the same things."""

    def __init__(self, rng: random.Random, pool: Sequence[str]) -> None:
        self.rng = rng
        self.pool = pool

    def one_of(self, models: Sequence[type[BaseModel]]) -> dict[str, object]:
        return self.model(self.rng.choice(models))

    def model(self, model: type[BaseModel]) -> dict[str, object]:
        """Make a document that would fit a model, with some of its optional fields."""
        if model is Event:
            return self.event()
        return {
            name: self.field(name, field)
            for name, field in model.model_fields.items()
            if field.is_required() or name == "type" or self.rng.random() < 0.5
        }

    def event(self) -> dict[str, object]:
        model = self.rng.choice(EVENT_BODIES)
        body = self.model(model)
        return {
            "device": self.rng.choice([*self.pool, "hub"]),
            "epoch": self.rng.randint(0, 2),
            "seq": self.rng.randint(1, 5),
            "at": self.moment(),
            "hlc": self.rng.choice([0, 0, self.rng.randint(1, 2**50)]),
            "type": body.pop("type"),
            "entity": self.rng.choice(["", str(body.get("job_id", ""))]),
            "body": body,
        }

    def field(self, name: str, field: FieldInfo) -> object:
        if name == "type" or (not field.is_required() and self.rng.random() < 0.1):
            return field.get_default(call_default_factory=True)
        return self.value(field.annotation, name)

    def value(self, wanted: object, name: str = "") -> object:
        """Make a JSON value for an annotation."""
        origin, parts = get_origin(wanted), get_args(wanted)
        if origin is Annotated:
            return self.value(parts[0], name)
        if origin is Literal:
            return self.rng.choice(parts)
        if origin in (Union, types.UnionType):
            return self.value(self.rng.choice(parts), name)
        if origin is tuple:
            return [self.value(parts[0], name) for _ in range(self.rng.randint(0, 3))]
        if origin is dict:
            return {self.word(): self.word() for _ in range(self.rng.randint(0, 3))}
        return self.plain(getattr(wanted, "__supertype__", wanted), name)

    def plain(self, wanted: object, name: str) -> object:
        if isinstance(wanted, type) and issubclass(wanted, BaseModel):
            return self.model(wanted)
        if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
            return self.rng.choice(list(wanted)).value
        if wanted is bool:
            return self.rng.random() < 0.5
        if wanted is int:
            return self.rng.choice([0, 1, 1, 2, 3, 7])
        if wanted is float:
            return self.rng.choice([0.0, 1.0, 0.5, 30.0])
        if wanted is datetime:
            return self.moment()
        if wanted is type(None):
            return None
        is_id = name.endswith("_id") or name in ("device", "entity", "by")
        return self.rng.choice(self.pool) if is_id and self.rng.random() < 0.9 else self.word()

    def word(self) -> str:
        return self.rng.choice(WORDS)

    def moment(self) -> str:
        at = NOON + timedelta(seconds=self.rng.randint(-(10**8), 10**8))
        return at.isoformat()
