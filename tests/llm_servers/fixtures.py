"""pytest's fixtures for servers of language models; one of each for a whole test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.llm_servers import aimock as aimock_npm
from tests.llm_servers import llamacpp
from tests.llm_servers.aimock import Aimock
from tests.llm_servers.llamacpp import LlamaServer

KEY = "sk-of-the-tests-server"


@pytest.fixture(scope="session")
def llama() -> Iterator[LlamaServer]:
    """llama.cpp with the models "tiny" and "tiny2", which asks for no key."""
    with llamacpp.running() as server:
        yield server


@pytest.fixture(scope="session")
def llama_with_key() -> Iterator[LlamaServer]:
    """llama.cpp that answers 401 to whoever does not show its key."""
    with llamacpp.running(key=KEY) as server:
        yield server


@pytest.fixture(scope="session")
def llama_narrow() -> Iterator[LlamaServer]:
    """llama.cpp whose conversations overflow after 128 tokens."""
    with llamacpp.running(context_tokens=128 * llamacpp.PARALLEL) as server:
        yield server


@pytest.fixture(scope="session")
def _aimock_of_this_process() -> Iterator[Aimock]:
    if not aimock_npm.is_possible():
        pytest.skip("aimock runs on node, which is not on this machine")
    with aimock_npm.running() as server:
        yield server


@pytest.fixture
def aimock(_aimock_of_this_process: Aimock) -> Iterator[Aimock]:
    """aimock, which knows nothing of the test before."""
    _aimock_of_this_process.forget()
    yield _aimock_of_this_process
    _aimock_of_this_process.forget()
