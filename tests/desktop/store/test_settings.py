"""Computers that know the same changes go by the same one, whatever the order and the clocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from desktop.store import copies, facts, outbox, settings, stamps
from shared import hlc
from shared.events import Event, SettingChanged
from shared.messages import Events, Numbered
from shared.times import to_ms
from tests.desktop.store.test_peers import Evil

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
YEARS = timedelta(days=3652)
CLOCKS = (NOON, NOON + YEARS, NOON - YEARS, NOON + timedelta(minutes=2))


@dataclass
class Computer:
    name: str
    clock: datetime
    world: Evil = field(default_factory=Evil)
    waiting: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        facts.put(self.world.store, "worker_id", self.name)
        facts.put(self.world.store, "public_key", "")
        facts.put(self.world.store, "signs_as", "")

    def choose(self, value: str, clock: datetime | None = None) -> Event:
        body = SettingChanged(name="language", value=value)
        event = outbox.append(self.world.store, body, at=clock or self.clock)
        copies.wrote(self.world.store, event)
        self.waiting.append(event)
        return event

    def hear(self, told: list[Numbered]) -> None:
        for one in told:
            copies.hear(self.world.store, one)
        if told:
            stamps.hear(self.world.store, Events(after=0, upto=told[-1].hub_seq, events=told))

    @property
    def language(self) -> str:
        return facts.get(self.world.store, "language")


STEPS = st.lists(
    st.tuples(st.sampled_from(("choose", "push", "hear")), st.integers(0, 2), st.integers(0, 3)),
    max_size=14,
)


@examples(deadline=None, max_examples=40)
@given(STEPS)
def test_all_computers_come_to_one_value_whatever_is_told_when(
    steps: list[tuple[str, int, int]],
) -> None:
    computers = [Computer(name, NOON) for name in "abc"]
    log: list[Numbered] = []
    heard = [0, 0, 0]

    def push(who: Computer) -> None:
        for event in who.waiting:
            stamp = hlc.clamp(event.hlc, to_ms(NOON))
            log.append(Numbered(hub_seq=len(log) + 1, event=event, hlc=stamp))
        who.waiting.clear()

    def hear(number: int) -> None:
        computers[number].hear(log[heard[number] :])
        heard[number] = len(log)

    for count, (what, number, clock) in enumerate(steps):
        match what:
            case "choose":
                computers[number].choose(f"{number}-{count}", CLOCKS[clock])
            case "push":
                push(computers[number])
            case _:
                hear(number)
    for computer in computers:
        push(computer)
    for number in range(3):
        hear(number)
    assert len({computer.language for computer in computers}) == 1
    known = [settings.changes(c.world.store, "language") for c in computers]
    assert [c.value for c in known[0]] == [c.value for c in known[1]] == [c.value for c in known[2]]


@examples(deadline=None, max_examples=30)
@given(st.lists(st.timedeltas(-YEARS, YEARS), min_size=2, max_size=8))
def test_stamps_only_grow_whatever_the_clock_does(jumps: list[timedelta]) -> None:
    here = Computer("a", NOON)
    given_out = [here.choose(str(n), NOON + jump).hlc for n, jump in enumerate(jumps)]
    assert given_out == sorted(set(given_out))


def test_what_is_written_after_something_was_heard_is_stamped_later() -> None:
    late, here = Computer("a", NOON), Computer("b", NOON - YEARS)
    told = Numbered(hub_seq=1, event=(heard := late.choose("de")), hlc=heard.hlc)
    here.hear([told])
    assert here.choose("fr").hlc > heard.hlc
    assert here.language == "fr"


def test_a_hub_that_tells_the_last_stamp_there_is_stops_nobody() -> None:
    here, other = Computer("a", NOON), Computer("b", NOON)
    event = other.choose("de").model_copy(update={"hlc": 2**53 - 1})
    here.hear([Numbered(hub_seq=1, event=event, hlc=2**53 - 1)])
    assert here.choose("fr").hlc < 2**53


def test_the_value_before_can_be_taken_back() -> None:
    here = Computer("a", NOON)
    assert settings.before(here.world.store, "language") is None
    for value in ("de", "fr"):
        here.choose(value)
    assert settings.before(here.world.store, "language") == "de"
