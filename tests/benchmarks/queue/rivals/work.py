"""What every job does: note when it was asked for, and that it runs."""

from __future__ import annotations

import os
import time
from functools import cache

from tests.benchmarks.queue.records import Writer

BROKER = os.environ.get("BENCH_BROKER", "")


@cache
def _writer() -> Writer:
    return Writer(os.environ["BENCH_RECORDS"])


def work(asked_at: float) -> None:
    now = time.monotonic()
    _writer().write((asked_at, now, now))
