"""What every test starts from: one thread for numeric libraries, and this checkout for children."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shared import logs
from tests.brokers.fixtures import _rabbitmq_of_this_process, rabbitmq
from tests.llm_servers.fixtures import (
    _aimock_of_this_process,
    aimock,
    llama,
    llama_narrow,
    llama_with_key,
)
from tests.loops import Loop, note_less
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

# Asked not to by the environment, Python compiles each module anew in each program that tests
# start, and pytest rewrites each test again in each of its processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

note_less()

# A shell starts what runs in its background with these ignored, and all programs inherit that:
# tests that press Ctrl-C would wait for ever. What a program does not handle, it then has as from a
# terminal.
if threading.current_thread() is threading.main_thread():
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32" and signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)

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


LONG = ("simulation", "flows", "chaos", "packaging", "protocol_machine", "power", "fuzz", "browser")
"""Folders with tests of ten seconds and more. They come first, so that at the end of a run no
process still has one while the others have nothing."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.split("/")[1] not in LONG)


def pytest_asyncio_loop_factories() -> Mapping[str, type[Loop]]:
    return {"frugal": Loop}


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
    hooks = sys.excepthook, threading.excepthook
    yield
    if sys.excepthook.__module__ == logs.__name__:
        sys.excepthook = hooks[0]
    if threading.excepthook.__module__ == logs.__name__:
        threading.excepthook = hooks[1]
    for name in logs.OWN:
        logging.getLogger(name).setLevel(logging.NOTSET)
    for handler in [h for h in root.handlers if h not in before]:
        root.removeHandler(handler)
    root.setLevel(level)
