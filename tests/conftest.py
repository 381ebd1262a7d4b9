"""What every test starts from: one thread for numeric libraries, and this checkout for children."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.brokers.fixtures import _rabbitmq_of_this_process, rabbitmq
from tests.llm_servers.fixtures import (
    _aimock_of_this_process,
    aimock,
    llama,
    llama_narrow,
    llama_with_key,
)
from tests.matrix_servers.fixtures import _synapse_of_this_process, synapse

__all__ = [
    "_aimock_of_this_process",
    "_rabbitmq_of_this_process",
    "_synapse_of_this_process",
    "aimock",
    "llama",
    "llama_narrow",
    "llama_with_key",
    "rabbitmq",
    "synapse",
]

# A package called "tests" may lie in site-packages, and a child does not start in this folder.
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)

# Read once, when the first test imports scikit-learn: spinning threads make small fits ten times
# slower on a busy machine.
os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", OPENBLAS_NUM_THREADS="1")

# How long an example takes says how busy the machine is.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Two runs of one commit say the same; `--hypothesis-profile=exploring` looks for what is new.
settings.register_profile(
    "here", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("here"), max_examples=20)
"""For `make check`; `make test` tries as many as each test wants."""
settings.register_profile("exploring", settings.get_profile("here"), derandomize=False)
settings.load_profile("here")

# Windows in tests are drawn off screen unless a test starts a screen of its own.
os.environ["QT_QPA_PLATFORM"] = "offscreen"


def pytest_collection_finish() -> None:
    """Set aside what was imported and collected: it stays till the end of the run.

    A full collection walks through it otherwise, half a second each time, and every test of a
    window makes three.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """A program that sets up its log in a test writes to that test's stream, closed afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in [h for h in root.handlers if h not in before]:
        root.removeHandler(handler)
    root.setLevel(level)
