"""The brokers of the tests take and give, and remember over a kill -9."""

from __future__ import annotations

from pathlib import Path

import pytest
from kombu import Connection

from tests.brokers.rabbitmq import RabbitServer
from tests.brokers.redis import RedisServer, redis_server
from tests.brokers.server import Server, answers


def put(url: str, text: str) -> None:
    with (
        # RabbitMQ promises to keep only what it has confirmed.
        Connection(url, connect_timeout=5, transport_options={"confirm_publish": True}) as line,
        line.SimpleQueue("kept") as queue,
    ):
        queue.put(text)


def take(url: str) -> object:
    with Connection(url, connect_timeout=5) as line, line.SimpleQueue("kept") as queue:
        message = queue.get(timeout=5)
        message.ack()
        return message.payload


async def test_redis_keeps_a_message_over_a_kill(tmp_path: Path) -> None:
    async with RedisServer(tmp_path, "always") as server:
        await kill_and_start(server)


async def test_rabbitmq_keeps_a_message_over_a_kill(rabbitmq: RabbitServer) -> None:
    await kill_and_start(rabbitmq)


async def kill_and_start(server: Server) -> None:
    url = server.url
    put(url, "hello")

    server.kill()
    assert not server.is_up()
    await server.start()

    assert (server.url, take(url)) == (url, "hello")


async def test_redis_forgets_when_told_to(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server:
        put(server.url, "hello")
        server.forget_all()
        with (
            Connection(server.url) as line,
            line.SimpleQueue("kept") as queue,
            pytest.raises(queue.Empty),
        ):
            queue.get(block=False)


async def test_an_address_is_given_for_a_block(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as url:
        put(url, "hello")
        assert take(url) == "hello"
    assert not answers(int(url.split(":")[2].split("/")[0]), b"PING\r\n", b"+PONG")
