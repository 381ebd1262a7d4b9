"""Lines of old logs are forgotten, a few jobs at a time; what became of the jobs is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from desktop.store import rebuilt, retention
from desktop.store.database import open_store
from tests.desktop.store.test_purging import NOON, fill


def test_lines_of_jobs_that_ended_long_ago_go_and_their_results_stay(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.sqlite3") as store:
        fill(store)
        assert store.submit(lambda c: retention.forget_lines(c, NOON)).result() == 0
        later = NOON + timedelta(days=1)

        assert store.submit(lambda c: retention.forget_lines(c, later)).result() == 2

        def look(sql: str) -> list[tuple[object, ...]]:
            return store.submit(lambda c: c.execute(sql).fetchall()).result()

        assert look("select count(*) from copy_line") == [(0,)]
        assert (
            look("select rowid from copy_line_words where copy_line_words match 'harmless'") == []
        )
        kept = "select line_count, result ->> '$.headline' from copy_job order by job_id"
        assert look(kept) == [
            (0, "Found mandelbrot."),
            (0, "Found harmless."),
        ]
        assert store.submit(rebuilt.compare).result() == []
        assert store.submit(lambda c: retention.forget_lines(c, later)).result() == 0
