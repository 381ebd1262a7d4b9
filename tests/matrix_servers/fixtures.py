"""pytest's fixture for a homeserver: one for a whole test process, started when first wanted."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from tests.matrix_servers.synapse import Synapse, running


@pytest.fixture(scope="session")
def _synapse_of_this_process() -> Iterator[Synapse]:
    # A second of import, before there is a loop that it would hold up.
    importlib.import_module("nio")
    with running() as server:
        yield server


@pytest.fixture
def synapse(_synapse_of_this_process: Synapse) -> Synapse:
    """A homeserver that runs; a test that stopped it has it started for the next one."""
    if _synapse_of_this_process.process is None:
        _synapse_of_this_process.start()
    return _synapse_of_this_process
