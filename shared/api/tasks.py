"""Tasks: what a person asks for."""

from __future__ import annotations

from pydantic import Field, JsonValue

from shared.api.parts import Body
from shared.jobs import Priority


class NewTask(Body):
    kind: str = Field(min_length=1, max_length=100, examples=["ml.train"])
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """What is missing is asked."""
    text: str = Field(default="", max_length=4000)
    title: str = Field(default="", max_length=200)
    priority: Priority = Field(default=Priority.DEFAULT, strict=False)
    worker: str = Field(default="", max_length=100)
    """Only this computer, by name."""
