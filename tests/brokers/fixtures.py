"""pytest's fixture for RabbitMQ: one for a whole test process, started when first wanted.

Redis starts in a blink: each test has its own (`redis_server`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.brokers.rabbitmq import RabbitServer


@pytest.fixture(scope="session")
def _rabbitmq_of_this_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    server = RabbitServer(tmp_path_factory.mktemp("rabbitmq"))
    try:
        server.start_blocking()
        yield server
    finally:
        server.close()


@pytest.fixture
def rabbitmq(_rabbitmq_of_this_process: RabbitServer) -> RabbitServer:
    """A RabbitMQ that runs; one that a test has killed is started for the next one.

    Queues are shared by all tests of a process: whoever wants empty ones deletes them.
    """
    _rabbitmq_of_this_process.start_blocking()
    return _rabbitmq_of_this_process
