"""What a start leaves out: what structlog would take along, and the collector's rounds."""

from __future__ import annotations

import gc
import subprocess
import sys

from shared.lean import UNUSED, uncollected


def test_structlog_comes_alone_and_what_was_left_out_can_still_be_imported() -> None:
    code = (
        "import sys\n"
        "from shared.lean import UNUSED, import_structlog\n"
        "import_structlog()\n"
        "import structlog\n"
        "print(*[name for name in UNUSED if name in sys.modules])\n"
        "structlog.get_logger().info('said')\n"
        "import rich\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, said = told.stdout.splitlines()
    assert first == ""
    assert "said" in said
    assert "rich" in UNUSED


def test_the_collector_rests_only_inside_the_block_and_skips_what_came_in() -> None:
    assert gc.isenabled()
    before = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
            kept: list[list[int]] = [[] for _ in range(100)]
        assert gc.isenabled()
        assert gc.get_freeze_count() > before + len(kept)
        assert all(one is not kept for one in gc.get_objects())
    finally:
        gc.unfreeze()
