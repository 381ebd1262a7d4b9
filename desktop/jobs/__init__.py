"""Executors: one module per kind of job, imported in the child process only.

An executor is a plain function `run(context, inputs) -> output`; it may be slow, use much
memory or crash: it has a process of its own, which the worker can end at any time.
"""

from __future__ import annotations

from collections.abc import Mapping

EXECUTORS: Mapping[str, str] = {
    "code.agents": "desktop.jobs.code.agents:run",
    "code.bugfix": "desktop.jobs.code.work:run",
    "code.diff": "desktop.jobs.code.diff:run",
    "code.docs": "desktop.jobs.code.work:run",
    "code.feature": "desktop.jobs.code.work:run",
    "code.refactor": "desktop.jobs.code.work:run",
    "code.review": "desktop.jobs.code.work:run",
    "code.test": "desktop.jobs.code.work:run",
    "data.analyze": "desktop.jobs.analysis.analyze:run",
    "data.describe": "desktop.jobs.describe:run",
    "files.edit": "desktop.jobs.documents.edit:run",
    "files.head": "desktop.jobs.files:head",
    "files.list": "desktop.jobs.documents.read:list_files",
    "files.read": "desktop.jobs.documents.read:run",
    "files.send": "desktop.jobs.files:send",
    "files.undo": "desktop.jobs.documents.undo:run",
    "files.write": "desktop.jobs.documents.write:run",
    "llm.ask": "desktop.jobs.llm.ask:run",
    "llm.health": "desktop.jobs.llm.health:run",
    "llm.probe": "desktop.jobs.llm.probe:run",
    "llm.run": "desktop.jobs.llm.run:run",
    "llm.runs": "desktop.jobs.llm.transcript:runs",
    "llm.stats": "desktop.jobs.llm.statistics:run",
    "llm.transcript": "desktop.jobs.llm.transcript:run",
    "machine.autostart": "desktop.jobs.autostart:run",
    "web.read": "desktop.jobs.web.read:run",
    "web.research": "desktop.jobs.web.research:run",
    "web.search": "desktop.jobs.web.search:run",
    "web.session": "desktop.jobs.web.session:run",
    "ml.train": "desktop.jobs.ml.train:run",
    "ml.predict": "desktop.jobs.ml.predict:run",
    "ml.models": "desktop.jobs.ml.models:run",
    "ml.model": "desktop.jobs.ml.show:run",
    "plan": "desktop.jobs.plan.run:run",
}
"""Kind -> "module:function"."""
