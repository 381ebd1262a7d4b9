"""States of the Change window, with changes as coding jobs leave them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.change.window import ChangeWindow
from desktop.jobs.code.kept import KeptChanges, KeptFacts
from shared.events import JobGranted, JobStarted, QuestionAsked
from shared.ids import JobId, QuestionId, WorkerId
from shared.kinds.code import FileFacts, SuiteFacts
from shared.questions import Asking, Choice, QuestionKind
from tests.desktop.gui.loop import until
from tests.desktop.gui.scenes_jobs import job_id, queued
from tests.desktop.gui.world import ELSEWHERE, HERE, PaperDesk

JOB, OTHER = job_id(71), job_id(72)
QUESTION = QuestionId("019aa000-0000-7000-8000-0000000000c0")
ASKING = Asking(
    key="deliver",
    kind=QuestionKind.APPROVAL,
    text="The bug is mended in its sandbox: 3 files, +11 −3, tests 41 passed (3 were red). It wants"
    " to push deskhand/k7q2-utc to github.com/anna/shop and open a pull request.",
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
+    # A line that is rather long: its writer had a very wide screen before them, and used it all.
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
+\tassert now().tzinfo is not None
diff --git a/docs/logo.png b/docs/logo.png
Binary files a/docs/logo.png and b/docs/logo.png differ
"""
FILES = (
    FileFacts(path="shop/clock.py", added=7, removed=3),
    FileFacts(path="tests/test_clock.py", what="added", added=4),
    FileFacts(path="docs/logo.png", is_binary=True),
)


def facts_of(job: JobId, files: tuple[FileFacts, ...] = FILES) -> KeptFacts:
    return KeptFacts(
        job=job,
        repository="github.com/anna/shop",
        base="main",
        branch="deskhand/k7q2-utc",
        files=files,
        files_total=len(files),
        added=11,
        removed=3,
        tests_after=SuiteFacts(is_good=True, passed=41, failed=0),
    )


def keep(desk: PaperDesk, diff: str = DIFF, files: tuple[FileFacts, ...] = FILES) -> None:
    """Leave a change as a coding job of this machine does."""
    KeptChanges(desk.paths.data / "code" / "changes").keep(facts_of(JOB, files), diff)


async def job_asks(desk: PaperDesk, number: int = 71, worker: WorkerId = HERE) -> None:
    """A coding job asks before it pushes."""
    one = job_id(number)
    await desk.happens(*queued(number, "bugfix shop The clock must tell UTC", "code.bugfix"))
    await desk.happens(JobGranted(job_id=one, worker_id=worker, attempt=1, fence=1))
    await desk.happens(JobStarted(job_id=one, attempt=1, fence=1), device=worker)
    await desk.happens(
        QuestionAsked(job_id=one, attempt=1, fence=1, question_id=QUESTION, asking=ASKING),
        device=worker,
    )


async def opened(desk: PaperDesk, bridge: Bridge, style: Style, item: str = JOB) -> ChangeWindow:
    window = ChangeWindow(bridge, style)
    window.show_item(item)
    window.show()
    await until(lambda: window.seen is not None)
    return window


async def empty(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    return await opened(desk, bridge, style, "")


async def asking(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await job_asks(desk)
    keep(desk)
    window = await opened(desk, bridge, style)
    window.view.setCurrentIndex(window.files.index(0, 0))
    return window


async def elsewhere(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    await job_asks(desk, 72, ELSEWHERE)
    return await opened(desk, bridge, style, OTHER)


SCENES: dict[str, Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]] = {
    "empty": empty,
    "asking": asking,
    "elsewhere": elsewhere,
}
