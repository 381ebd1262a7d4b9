"""Executors: one module per kind of job, imported in the child process only.

An executor is a plain function `run(context, inputs) -> output`; it may be slow, use much
memory or crash: it has a process of its own, which the worker can end at any time.
"""

from __future__ import annotations

from collections.abc import Mapping

EXECUTORS: Mapping[str, str] = {
    "data.describe": "desktop.jobs.describe:run",
    "files.send": "desktop.jobs.files:send",
    "files.head": "desktop.jobs.files:head",
    "llm.ask": "desktop.jobs.llm.ask:run",
    "llm.health": "desktop.jobs.llm.health:run",
    "llm.probe": "desktop.jobs.llm.probe:run",
    "llm.run": "desktop.jobs.llm.run:run",
    "llm.runs": "desktop.jobs.llm.transcript:runs",
    "llm.stats": "desktop.jobs.llm.statistics:run",
    "llm.transcript": "desktop.jobs.llm.transcript:run",
    "machine.autostart": "desktop.jobs.autostart:run",
    "ml.train": "desktop.jobs.ml.train:run",
    "ml.predict": "desktop.jobs.ml.predict:run",
    "ml.models": "desktop.jobs.ml.models:run",
    "ml.model": "desktop.jobs.ml.show:run",
}
"""Kind -> "module:function"."""
