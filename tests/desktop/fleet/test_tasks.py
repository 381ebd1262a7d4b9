"""What a message may make a node do: ask its hub about a ticket, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from celery.exceptions import Reject

from desktop.fleet.tasks import AttemptFailed, make_app, queues_for, settings, taken
from desktop.fleet.work import Took
from shared.fleet import Ticket

TICKET = Ticket(job_id="0198c0de-0000-7000-8000-000000000001", attempt=1, fence=3, kind="llm.ask")
TOLD = TICKET.model_dump(mode="json")


def never(_ticket: Ticket) -> Took:
    raise AssertionError


@pytest.mark.parametrize("took", [Took.SUCCEEDED, Took.ASKING, Took.STALE, Took.CANCELLED])
def test_lists_of_tasks_show_what_came_of_a_ticket(took: Took) -> None:
    assert taken("llm.ask", TOLD, lambda _: took) == took.value


def test_a_ticket_for_somebody_else_goes_back() -> None:
    with pytest.raises(Reject) as caught:
        taken("llm.ask", TOLD, lambda _: Took.BACK)
    assert caught.value.requeue


def test_a_failed_job_is_a_failed_task_without_a_word_of_it() -> None:
    with pytest.raises(AttemptFailed) as caught:
        taken("llm.ask", TOLD, lambda _: Took.FAILED)
    assert str(caught.value) == TICKET.label


@pytest.mark.parametrize(
    "told",
    [
        {},
        {**TOLD, "fence": 0},
        {**TOLD, "job_id": "../../etc/passwd"},
        {**TOLD, "words": "do this"},
        {**TOLD, "kind": "llm.probe"},
    ],
)
def test_what_is_no_ticket_is_dropped(told: dict[str, object]) -> None:
    assert taken("llm.ask", told, never) == "unreadable"


def test_nothing_but_json_is_read_and_nobody_commands_a_node() -> None:
    for broker in ("redis://127.0.0.1/0", "amqp://127.0.0.1//"):
        app = make_app(broker, ("llm.ask",), never)

        assert app.conf.accept_content == ["json"]
        assert app.conf.worker_enable_remote_control is False
        assert app.conf.task_acks_late
        assert app.conf.worker_prefetch_multiplier == 1
        assert app.conf.worker_disable_prefetch is broker.startswith("redis")
        task = app.tasks["deskhand.llm.ask"]
        assert (task.acks_late, task.max_retries, task.reject_on_worker_lost) == (True, 0, True)


def test_redis_gives_back_what_was_out_for_an_hour() -> None:
    options = settings("redis://127.0.0.1/0")["broker_transport_options"]

    assert isinstance(options, dict)
    assert options["visibility_timeout"] == 3600
    assert options["unacked_restore_interval"] == options["unacked_restore_throttle"] == 1


def test_every_kind_has_three_queues() -> None:
    assert queues_for(("b", "a")) == [
        "deskhand.b.high",
        "deskhand.a.high",
        "deskhand.b.default",
        "deskhand.a.default",
        "deskhand.b.low",
        "deskhand.a.low",
    ]


def test_a_worker_without_a_fleet_imports_nothing_of_it() -> None:
    program = (
        "import sys, desktop.__main__, desktop.agent.agent, desktop.commands.headless;"
        "print([m for m in sys.modules if m.split('.')[0] in ('celery', 'kombu', 'redis', 'amqp')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


def test_help_is_told_without_celery() -> None:
    program = (
        "import sys\nfrom desktop.fleet.__main__ import main\n"
        "try: main(['worker', '--help'])\nexcept SystemExit: pass\n"
        "print('celery' in sys.modules, 'httpx' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "False False"
