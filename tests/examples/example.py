"""One task: what lies in the folder, what the models know, what the person says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.jobs.code.samples.model import Steps
from desktop.jobs.plan.samples.model import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    name: str
    """Of its folder in docs/examples."""
    title: str
    about: str
    """What is made up here, in a sentence or two."""
    task: str
    rules: tuple[Rule, ...]
    """Of the scripted model; the task's own words are in what it is asked."""
    answers: tuple[tuple[str, str], ...]
    """(Words of a question, what the person says to it.)"""
    files: Mapping[str, str] = field(default_factory=dict)
    """In the folder that the person allows, by name."""
    repository: Mapping[str, str] = field(default_factory=dict)
    """Files of a repository beside them, which has a bare remote."""
    repository_name: str = ""
    steps: Steps = ()
    """Of the scripted model when an agent asks it."""
    pages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of the local web site: path -> title and text."""
