"""Writes an example down: a page to read, the plan as JSON, what came to be in the folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from shared.plan import ShownStep
from tests.examples.all_of_them import EXAMPLES
from tests.examples.play import Played

_INDEX = """\
# Tasks in plain words, done

A hub, a worker, a language model that is a script, and a person in the chat: each page shows what
was asked, the plan, what was done and the answer with its sources. `make examples` plays them and
writes these pages; a test plays them and compares. All companies, places and people are made up.
"""


def index() -> str:
    """Return the page that lists all examples."""
    told = [f"- [{one.title}]({one.name}/README.md): “{one.task}”" for one in EXAMPLES]
    return "\n".join([_INDEX, *told]) + "\n"


def files_of(played: Played) -> dict[str, str]:
    """Return the files of an example's folder, by name."""
    steps = [_plain(step) for step in played.plan.steps]
    plan = {
        "goal": played.plan.goal,
        "assumptions": list(played.plan.assumptions),
        "steps": steps,
    }
    made = {
        "README.md": "\n".join(_page(played)) + "\n",
        "plan.json": json.dumps(plan, indent=2, ensure_ascii=False) + "\n",
    }
    return made | {f"artifacts/{name}": text for name, text in played.documents.items()}


def _plain(step: ShownStep) -> dict[str, object]:
    return {
        "number": step.number,
        "id": step.id,
        "title": step.title,
        "kind": step.kind,
        "after": list(step.depends_on),
        "permission": step.permission.value,
    }


def _page(played: Played) -> Iterator[str]:
    example, output = played.example, played.output
    yield f"# {example.title}"
    yield f"\n{example.about} The model is a script. Written by `make examples`."
    yield f"\n> {example.task}"
    if example.files or example.repository:
        yield "\nIn the folder:"
        names = [*example.files, *([example.repository_name] if example.repository else [])]
        yield from (f"- `{name}`" for name in sorted(names))
    yield "\n## Asked on the way"
    for asked, reply in played.said:
        yield "\n```text"
        yield asked
        yield "```"
        yield f"\n**{reply}**"
    yield "\n## What was done\n"
    for step in output.steps:
        yield f"{step.number}. {step.title} (`{step.kind}`): {step.state.value}"
        yield f"   {_steady(step.headline)}"
    yield "\n## The answer"
    yield f"\n{output.answer}\n"
    for source in output.sources:
        place = source.url or (f"`{source.file}`" if source.file else "")
        yield f"- [{source.number}] {source.title}" + (f": {place}" if place else "")
    if played.documents:
        yield "\n## What came of it\n"
        yield from (f"- [{name}](<artifacts/{name}>)" for name in played.documents)


def _steady(text: str) -> str:
    """Write durations and sizes so that they are the same each time."""
    return re.sub(r"\b\d+(\.\d+)? (s|ms)\b", "a moment", text)
