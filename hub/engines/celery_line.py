"""The line to the fleet's broker, in blocking calls: whoever has one calls it from one thread.

Celery and kombu are imported when a line is made, and nowhere else in a hub. Tickets are published
as Celery tasks; the broker confirms each where it can (RabbitMQ), and says how many lie in a queue.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from hub.core.fleet_rules import broker_place
from shared.errors import Unavailable
from shared.fleet import Ticket

CALL_SECONDS = 5.0
"""How long a broker may take to answer before it counts as away."""


class Line(Protocol):
    """What the engine needs of a broker. Each call may raise Unavailable (`fleet_broker_away`)."""

    def publish(self, tickets: Sequence[Ticket]) -> None:
        """Put tickets into their queues; returns once the broker has them."""

    def depth(self, queue: str) -> int:
        """How many messages lie in a queue that nobody has taken; 0 for one that is not there."""

    def check(self) -> None:
        """Make sure that the broker answers."""

    def close(self) -> None:
        """Let go of the connection. Idempotent, never raises."""


class CeleryLine:
    """A line to a real broker."""

    def __init__(self, url: str) -> None:
        """Connects when first used.

        Raises:
            Unavailable: `fleet_tools_missing`.
        """
        try:
            from celery import Celery
        except ImportError:
            raise Unavailable(
                "fleet_tools_missing",
                "HUB_FLEET_BROKER is set, and Celery is not installed.",
                "Install it: pip install 'deskhand[fleet]'; or leave HUB_FLEET_BROKER empty.",
            ) from None

        self._place = broker_place(url)
        self._app: Any = Celery("deskhand-hub", broker=url, set_as_current=False)
        self._app.conf.update(
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,
            task_publish_retry=False,
            broker_connection_timeout=CALL_SECONDS,
            broker_transport_options=_options(url),
        )
        self._connection: Any = None

    def publish(self, tickets: Sequence[Ticket]) -> None:
        with self._mapped():
            connection = self._connected()
            with connection.channel() as channel:
                producer = self._app.amqp.Producer(channel, auto_declare=False)
                for ticket in tickets:
                    self._app.send_task(
                        ticket.task,
                        kwargs=ticket.model_dump(mode="json"),
                        task_id=ticket.task_id,
                        queue=ticket.queue,
                        producer=producer,
                        ignore_result=True,
                        argsrepr=ticket.label,
                        kwargsrepr=ticket.label,
                        headers={"traceparent": ticket.traceparent},
                    )

    def depth(self, queue: str) -> int:
        with self._mapped():
            connection = self._connected()
            try:
                with connection.channel() as channel:
                    return int(channel.queue_declare(queue, passive=True).message_count)
            except connection.channel_errors:
                return 0

    def check(self) -> None:
        self.depth("deskhand.check")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):  # whatever a broken line says, it is let go
                connection.close()

    def _connected(self) -> Any:
        if self._connection is None:
            connection = self._app.connection_for_write()
            connection.connect()
            self._connection = connection
        return self._connection

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """Say in our words that a broker cannot be reached; the line is made anew then."""
        from kombu.exceptions import KombuError

        errors = (OSError, KombuError, *self._app.connection().recoverable_connection_errors)
        try:
            yield
        except (*errors, *self._app.connection().channel_errors) as error:
            self.close()
            raise broker_away(self._place, type(error).__name__) from error


def _options(url: str) -> dict[str, object]:
    if url.startswith("redis"):
        return {"socket_timeout": CALL_SECONDS, "socket_connect_timeout": CALL_SECONDS}
    return {
        "confirm_publish": True,
        "confirm_timeout": CALL_SECONDS,
        "read_timeout": CALL_SECONDS,
        "write_timeout": CALL_SECONDS,
    }


def broker_away(place: str, what: str) -> Unavailable:
    return Unavailable(
        "fleet_broker_away",
        f"The fleet's broker at {place} does not answer ({what}).",
        "Nothing is lost: jobs are handed over once it is back. See that it runs.",
        retryable=True,
    )
