"""Coding jobs to look at: one that asks before it pushes, one that is done, a review."""

from __future__ import annotations

from hub.services.requests import Request
from shared.ids import JobId, QuestionId
from shared.jobs import JobState
from shared.kinds import JsonObject
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.web.run_seeds import _save
from tests.hub.frontends.web.seeds import ledger_of, owner_of
from tests.hub.frontends.world import PuppetWorker, World

QUESTION = QuestionId("019aa000-0000-7000-8000-0000000000c0")
WANTS_TO_PUSH = Asking(
    key="deliver",
    kind=QuestionKind.APPROVAL,
    text="The bug is mended in its sandbox: 3 files, +11 −3, tests 41 passed (3 were red). It "
    "wants to push deskhand/k7q2-utc to github.com/anna/shop and open a pull request.",
    choices=(
        Choice(value="pull_request", label="Push and open PR"),
        Choice(value="branch", label="Only push"),
        Choice(value="discard", label="Discard"),
    ),
    allow_text=True,
    more="code.diff",
)
DIFF = """\
diff --git a/shop/clock.py b/shop/clock.py
index 83db48f..bf2a9c1 100644
--- a/shop/clock.py
+++ b/shop/clock.py
@@ -1,7 +1,9 @@ \"\"\"When the shop is open.\"\"\"
 from __future__ import annotations

-from datetime import datetime
+from datetime import UTC, datetime
+
+OPENS_AT = 9


 def now() -> datetime:
-    return datetime.now()
+    return datetime.now(UTC)
@@ -31,3 +34,5 @@ def is_open(at: datetime) -> bool:
     if at.weekday() == 6:
         return False
-    return 9 <= at.hour < 18
+    # A line that is rather long for a phone: its writer had a very wide screen before them.
+    local = at.astimezone(ZONE)
+    return OPENS_AT <= local.hour < 18
diff --git a/tests/test_clock.py b/tests/test_clock.py
new file mode 100644
--- /dev/null
+++ b/tests/test_clock.py
@@ -0,0 +1,4 @@
+from shop.clock import now
+
+def test_the_clock_is_aware() -> None:
+    assert now().tzinfo is not None
diff --git a/docs/logo.png b/docs/logo.png
Binary files a/docs/logo.png and b/docs/logo.png differ
"""
FILES: list[JsonObject] = [
    {"path": "shop/clock.py", "added": 7, "removed": 3},
    {"path": "tests/test_clock.py", "what": "added", "added": 4, "removed": 0},
    {"path": "docs/logo.png", "is_binary": True},
]
BEFORE: JsonObject = {"command": "pytest -q", "is_good": False, "passed": 38, "failed": 3}
AFTER: JsonObject = {"command": "pytest -q", "is_good": True, "passed": 41, "failed": 0}
CHANGE: JsonObject = {
    "headline": "3 files, +11 −3 on deskhand/k7q2-utc.",
    "repository": "github.com/anna/shop",
    "base": "main",
    "branch": "deskhand/k7q2-utc",
    "diff": DIFF,
    "files_changed": FILES,  # type: ignore[dict-item]
    "files_total": 3,
    "added": 11,
    "removed": 3,
    "tests_after": AFTER,
}
DONE: JsonObject = {
    "headline": "bugfix #K7Q2 is done: 3 files, +11 −3, tests 41 passed (3 were red). "
    "Pull request: https://github.com/anna/shop/pull/12",
    "notes": [
        "shop/clock.py (+7 −3)",
        "tests/test_clock.py (new, +4 −0)",
        "docs/logo.png (binary)",
        "The agent says: The clock told the local time where the tests and the orders expect UTC.",
        "12,300 tokens of openai:gpt-5-mini, $0.02, 3 minutes.",
    ],
    "repository": "github.com/anna/shop",
    "base": "main",
    "branch": "deskhand/k7q2-utc",
    "commit": "3f2a" * 10,
    "is_pushed": True,
    "url": "https://github.com/anna/shop/pull/12",
    "agent": "builtin",
    "model": "openai:gpt-5-mini",
    "level": "supervised",
    "files_changed": FILES,  # type: ignore[dict-item]
    "files_total": 3,
    "added": 11,
    "removed": 3,
    "tests_before": BEFORE,
    "tests_after": AFTER,
    "questions": 2,
    "cost_usd": 0.021,
    "seconds": 192,
    "sandbox": "bubblewrap",
}
REVIEWED: JsonObject = {
    "headline": "review #K7Q2: 3 findings, 1 of them high.",
    "notes": [
        "high: shop/clock.py:34: is_open compares an hour of UTC with opening hours of Berlin.",
        "medium: shop/orders/export.py:112: The file is never closed when a row fails.",
        "note: README.md: It names a command that is gone.",
        "8,100 tokens of openai:gpt-5-mini, $0.01, 48 s.",
    ],
    "agent": "builtin",
    "model": "openai:gpt-5-mini",
    "findings": [
        {"file": "shop/clock.py", "line": 34, "severity": "high",
         "message": "is_open compares an hour of UTC with opening hours of Berlin.",
         "suggestion": "Convert with astimezone before reading the hour."},
        {"file": "shop/orders/export.py", "line": 112, "severity": "medium",
         "message": "The file is never closed when a row cannot be written."},
        {"file": "README.md", "severity": "note", "message": "It names a command that is gone."},
    ],
}  # fmt: skip
ORDER: JsonObject = {"repository": "work/shop", "instructions": "The clock must tell UTC."}


async def asking_job(world: World, worker: PuppetWorker) -> JobId:
    """A job that a connected computer works at, and that asks before it pushes."""
    wish = Request(person_id=await owner_of(world), kind="code.bugfix", inputs=ORDER)
    job_id = (await world.hub.services.intake.request(wish)).card.job_id
    grant = await worker.grant_of(job_id)
    await worker.starts(grant)
    await worker.asks(grant, WANTS_TO_PUSH, QUESTION)
    return job_id


async def done_job(world: World, result: JsonObject | None = None) -> JobId:
    return await _over(world, "code.bugfix", ORDER, result or DONE)


async def review(world: World) -> JobId:
    inputs: JsonObject = {"repository": "work/shop", "instructions": "The clock and the export"}
    return await _over(world, "code.review", inputs, REVIEWED)


async def fetched(world: World, job_id: JobId, result: JsonObject | None = None) -> JobId:
    """The job that fetched a change, and what it got."""
    card = await world.hub.services.views.job(None, job_id)
    return await _over(world, "code.diff", {"job": job_id}, result or CHANGE, task=card.job.task_id)


async def _over(
    world: World, kind: str, inputs: JsonObject, result: JsonObject, *, task: object = None
) -> JobId:
    wish = Request(person_id=await owner_of(world), kind=kind, inputs=inputs, task_id=task)  # type: ignore[arg-type]
    job_id = (await world.hub.services.intake.request(wish)).card.job_id
    await ledger_of(world).write(lambda entry: _save(entry, job_id, JobState.SUCCEEDED, result))
    return job_id
