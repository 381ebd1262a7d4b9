"""The application of Celery that a node is: its settings, and a task for each kind it runs.

A message is acknowledged once its ticket needs no slot any more. Whatever comes twice, because a
node was killed or a job took longer than the broker waits, is dropped by the hub's word. Nothing
is retried here, no result is kept, only JSON is read, and nobody can command a node through the
broker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, Task
from celery.exceptions import Reject
from kombu.exceptions import OperationalError
from pydantic import ValidationError

from desktop.fleet.order import rank
from desktop.fleet.work import Took
from shared.errors import Unavailable
from shared.fleet import Ticket, queues_of, task_of

log = structlog.get_logger(__name__)

Take = Callable[[Ticket], Took]
"""Works on a ticket; blocks until its slot is free."""

VISIBILITY_SECONDS = 3600
"""Redis: how long a message may be out before it is given to somebody else, too."""
REDIS = ("redis", "rediss")
FIRST_SECONDS = 10.0
"""How long a broker may take to answer when a node starts."""


class AttemptFailed(Exception):
    """Shown by lists of tasks; why is the hub's to tell."""


def settings(broker: str) -> dict[str, object]:
    """Return Celery's settings for a broker."""
    is_redis = broker.partition("://")[0] in REDIS
    return {
        "broker_url": broker,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": _redis_options() if is_redis else {"confirm_publish": True},
        "result_backend": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": is_redis,
        "worker_enable_prefetch_count_reduction": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,
        "worker_pool_restarts": False,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "enable_utc": True,
    }


def _redis_options() -> dict[str, object]:
    return {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "desktop.fleet.order:HighFirst",
        "socket_keepalive": True,
        "socket_connect_timeout": FIRST_SECONDS,
    }


def make_app(broker: str, kinds: tuple[str, ...], take: Take) -> Celery:
    """Make the application; nothing is connected yet."""
    app = Celery("deskhand-fleet", set_as_current=False)
    app.conf.update(settings(broker))
    for kind in kinds:
        _add_task(app, kind, take)
    return app


def _add_task(app: Celery, kind: str, take: Take) -> None:
    def run(_task: Task, *_: Any, **told: Any) -> str:
        return taken(kind, told, take)

    name = task_of(kind)
    app.task(
        run,
        name=name,
        bind=True,
        shared=False,
        typing=False,
        throws=(AttemptFailed,),
        max_retries=0,
    )


def taken(kind: str, told: dict[str, Any], take: Take) -> str:
    """Work on what a message says; return what lists of tasks show.

    Raises:
        Reject: it is for somebody else.
        AttemptFailed: the job's outcome is a failure.
    """
    try:
        ticket = Ticket.model_validate(told)
    except ValidationError as error:
        log.warning("message dropped", kind=kind, faults=error.error_count())
        return "unreadable"
    if ticket.kind != kind:
        log.warning("message dropped", kind=kind, told=ticket.kind)
        return "unreadable"
    match took := take(ticket):
        case Took.BACK:
            raise Reject("somebody else may take it", requeue=True)
        case Took.FAILED:
            raise AttemptFailed(ticket.label)
        case _:
            return took.value


def queues_for(kinds: tuple[str, ...]) -> list[str]:
    """Name the queues of some kinds, those that are served first in front."""
    return sorted((queue for kind in kinds for queue in queues_of(kind)), key=rank)


def check_broker(app: Celery) -> None:
    """See that the broker answers, and lets this node in.

    Raises:
        Unavailable: `broker_unreachable`.
    """
    with app.connection_for_read(transport_options={}) as line:
        try:
            line.ensure_connection(max_retries=2, interval_start=0.5, timeout=FIRST_SECONDS)
        except (OperationalError, *line.connection_errors, *line.channel_errors) as error:
            why = str(error.__cause__ or error) or type(error).__name__
            raise Unavailable(
                "broker_unreachable",
                f"The broker at {line.as_uri()} cannot be used ({why[:200]}).",
                "See that it runs, and that its address and password (--broker) are right.",
            ) from None
