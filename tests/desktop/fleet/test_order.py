"""On Redis a node looks into the queues of high priority first, and no kind starves another."""

from __future__ import annotations

from kombu.utils.scheduling import cycle_by_name

from desktop.fleet.order import HighFirst
from desktop.fleet.tasks import queues_for, settings

KINDS = ("llm.ask", "llm.probe")


def test_high_comes_before_default_before_low_whatever_the_kind() -> None:
    cycle = HighFirst()
    cycle.update({*reversed(queues_for(KINDS))})

    ends = [name.rpartition(".")[2] for name in cycle.consume(6)]

    assert ends == ["high", "high", "default", "default", "low", "low"]


def test_kinds_of_one_priority_take_turns() -> None:
    cycle = HighFirst(queues_for(KINDS))

    firsts = [cycle.rotate(cycle.consume(6)[0]) for _ in range(4)]

    assert firsts == ["deskhand.llm.ask.high", "deskhand.llm.probe.high"] * 2


def test_a_queue_that_gave_keeps_its_place_when_others_come() -> None:
    cycle = HighFirst(["deskhand.b.low", "deskhand.a.low"])

    cycle.update(["deskhand.a.low", "deskhand.b.low", "deskhand.c.low", "celery"])

    assert cycle.consume(9) == ["deskhand.b.low", "deskhand.a.low", "deskhand.c.low", "celery"]


def test_kombu_finds_it_by_the_name_that_is_set() -> None:
    options = settings("redis://127.0.0.1/0")["broker_transport_options"]

    assert isinstance(options, dict)
    assert cycle_by_name(options["queue_order_strategy"]) is HighFirst
