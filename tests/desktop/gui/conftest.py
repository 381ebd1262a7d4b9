"""Windows in tests are drawn off screen unless a test starts a screen of its own."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _garbage_is_collected_on_qts_thread() -> Iterator[None]:
    """As in the program (`desktop.gui.collector`): a thread that destroys a window ends it all."""
    gc.disable()
    yield
    gc.collect()
    # What is still there stays: modules above all, imported since. The next test's three
    # collections would walk through all of it again, a tenth of a second and more each time.
    gc.freeze()
    gc.enable()
