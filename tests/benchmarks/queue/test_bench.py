"""The queue's benchmark measures what it says: real jobs, whose ends are on two disks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from hub.store.database import STORE_NAME
from tests.benchmarks.machine import ROOT
from tests.benchmarks.queue import bare
from tests.benchmarks.queue.children import child
from tests.benchmarks.queue.findings import LIMIT, Findings
from tests.benchmarks.queue.ours import Costed, deskhand
from tests.benchmarks.queue.peers import PEERS
from tests.benchmarks.queue.systems import WARM_JOBS, Run
from tests.benchmarks.report import OURS, table

JOBS = 12


def count(store: Path, statement: str) -> int:
    with closing(sqlite3.connect(store)) as connection:
        found: int = connection.execute(statement).fetchone()[0]
    return found


def run_of(per_second: float) -> Run:
    return Run(jobs=100, seconds=100 / per_second, records=[], ack_p50_ms=1, ack_p99_ms=2)


def test_a_job_counts_when_it_is_done_on_the_worker_and_on_the_hub(tmp_path: Path) -> None:
    others = set(psutil.Process().children(recursive=True))
    with deskhand(tmp_path) as system:
        by_rest = system.costed(JOBS, 4)
        inside = system.inside(JOBS, 4)

    for costed in (by_rest, inside):
        assert len(costed.run.records) == JOBS
        assert all(one.asked_at < one.started_at < one.done_at for one in costed.run.records)
        assert costed.cpu_us > costed.loop_cpu_us > 0
    done = WARM_JOBS + 2 * JOBS
    succeeded = "select count(*) from events where type = 'job_succeeded'"
    assert count(tmp_path / "hub" / STORE_NAME, succeeded) == done
    journalled = "select count(*) from journal where event like '%\"job_succeeded\"%'"
    assert count(tmp_path / "journal.db", journalled) == done
    assert not set(psutil.Process().children(recursive=True)) - others


def test_the_limit_answers_the_same_requests_and_keeps_the_same_rows(tmp_path: Path) -> None:
    with deskhand(tmp_path) as system:
        system.costed(JOBS, 4)

    assert bare.rows_us(tmp_path / "hub" / STORE_NAME, tmp_path) > 0
    with (
        closing(sqlite3.connect(tmp_path / "hub" / STORE_NAME)) as ours,
        closing(sqlite3.connect(tmp_path / "rows.sqlite3")) as limit,
    ):
        for name in bare.TABLES:
            kept = f"select * from {name} order by 1"
            assert limit.execute(kept).fetchall() == ours.execute(kept).fetchall() != []
    assert bare.http_us(JOBS, 4, tmp_path) > 0


def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    code = "import subprocess,sys;p=subprocess.Popen([sys.executable,'-c','input()']"
    code += ",stdin=subprocess.PIPE);print('{\"pid\": %d}' % p.pid, flush=True);p.wait()"
    with child([sys.executable, "-c", code], tmp_path / "log") as parent:
        grandchild = parent.answer()["pid"]
        assert psutil.pid_exists(grandchild)

    psutil.wait_procs([psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], 5)
    assert not psutil.pid_exists(grandchild)


def test_a_child_that_fails_is_told_of_with_its_last_words(tmp_path: Path) -> None:
    code = "raise SystemExit('the port is taken')"
    with (
        child([sys.executable, "-c", code], tmp_path / "log") as failing,
        pytest.raises(ChildProcessError, match="the port is taken"),
    ):
        failing.answer()


def test_peers_need_nothing_of_deskhand_nor_of_its_packages() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import tests.benchmarks.queue.rivals.produce, tests.benchmarks.queue.rivals.work
print(*{{"hub", "desktop", "shared"}} & set(sys.modules))
"""
    # Without site-packages, as if in an environment that has none of ours.
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == ""


@pytest.mark.parametrize(
    ("ours", "is_met"), [(5000.0, True), (4900.0, False)], ids=["just enough", "too few"]
)
def test_the_goal_is_judged_by_who_delivers_at_least_once(ours: float, is_met: bool) -> None:
    findings = Findings()
    findings.promised(list(PEERS))
    findings.limits(1.0, 0.1)
    findings.ours(Costed(run_of(ours), 100, 60), Costed(run_of(2 * ours), 80, 50))
    for name, per_second in {"Celery": 480, "taskiq": 900, "Huey Redis": 4000}.items():
        findings.many.add(name, per_second)
        findings.one.add(name, per_second)
    findings.one.add(OURS, 950)

    findings.judge()

    assert findings.many.is_met is is_met
    assert "taskiq" in findings.many.why
    assert "at most once" in findings.many.why
    assert findings.one.is_met  # the limit of the machine and Huey are no measure of it
    assert findings.one.samples[LIMIT].median == pytest.approx(1e3 / 1.1)
    assert findings.cpu.is_met
    assert findings.weaker.is_met is None
    assert "Taskiq was not measured" in table(findings.part)
