"""Lives of a store: how much of an older copy is still true, however often it was restored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hub.store import lineage
from hub.store.database import open_store
from hub.store.ledger import Entry, Ledger, begin_epoch, restored_from
from shared.events import WorkerPaired
from shared.ids import PersonId, WorkerId
from shared.messages import EpochBefore
from shared.protocol import kept_upto
from tests.makers import NOON, hand_environment


@dataclass
class Store:
    """A hub's store in the simplest words: a log, and the lives before."""

    life: str
    log: list[str] = field(default_factory=list)
    before: tuple[EpochBefore, ...] = ()

    def copy(self) -> Store:
        return Store(self.life, list(self.log), self.before)

    def restored_from(self, backup: Store, life: str) -> Store:
        lost = (EpochBefore(hub_epoch=self.life, upto=len(self.log)), *self.before)
        others = lineage.shared_with(lost, backup.life, len(backup.log))
        last = EpochBefore(hub_epoch=backup.life, upto=len(backup.log))
        return Store(life, list(backup.log), (last, *others, *backup.before))


@given(st.lists(st.one_of(st.integers(1, 5), st.just("backup"), st.integers(-9, -1)), max_size=30))
def test_what_a_copy_keeps_is_what_both_logs_begin_with(days: list[int | str]) -> None:
    store, backups, copies = Store("life 0"), [Store("life 0")], []
    for number, day in enumerate(days):
        if day == "backup":
            backups.append(store.copy())
        elif isinstance(day, int) and day > 0:
            store.log += [f"{number}.{event}" for event in range(day)]
        elif isinstance(day, int):
            chosen = backups[day % len(backups)]
            lost, store = store, store.restored_from(chosen, f"life {number + 1}")
            if lost.life in {chosen.life, *(life.hub_epoch for life in chosen.before)}:
                kept = kept_upto(store.before, lost.life, len(lost.log))
                assert kept == min(len(chosen.log), len(lost.log))
            elif chosen.life in {life.hub_epoch for life in lost.before}:
                assert kept_upto(store.before, lost.life, len(lost.log)) is not None
        copies.append(store.copy())
    for copy in copies:
        if copy.life == store.life:
            continue
        kept = kept_upto(store.before, copy.life, len(copy.log))
        if kept is not None:
            assert copy.log[:kept] == store.log[:kept]


def test_a_copy_of_another_hub_keeps_nothing() -> None:
    before = (EpochBefore(hub_epoch="a", upto=5),)
    assert kept_upto(before, "b", 3) is None
    assert kept_upto(before, "a", 3) == 3
    assert kept_upto(before, "a", 9) == 5


async def test_a_store_remembers_its_lives_and_when_the_backup_was_made(tmp_path: Path) -> None:
    environment, clock = hand_environment()
    ledger = Ledger(open_store(tmp_path), environment)

    def tell(entry: Entry) -> None:
        body = WorkerPaired(worker_id=WorkerId("w"), name="w")
        entry.tell(PersonId("anna"), body, entity="w")

    await ledger.write(tell)
    await ledger.read(lambda c: begin_epoch(c, environment))
    ledger.database.close()
    again = Ledger(open_store(tmp_path), environment)
    await again.write(tell)
    clock.advance(60)
    await again.read(lambda c: begin_epoch(c, environment, backup_at=NOON))
    again.database.close()
    last = Ledger(open_store(tmp_path), environment)
    assert last.lineage == (
        EpochBefore(hub_epoch=again.hub_epoch, upto=2),
        EpochBefore(hub_epoch=ledger.hub_epoch, upto=1),
    )
    assert await last.read(restored_from) == NOON
    last.database.close()


async def test_a_backup_that_is_restored_twice_never_gives_a_number_out_twice(
    tmp_path: Path,
) -> None:
    environment, clock = hand_environment()
    epochs = []
    for folder in ("first", "second"):
        ledger = Ledger(open_store(tmp_path / folder), environment)
        await ledger.read(lambda c: begin_epoch(c, environment))
        rows = await ledger.read(lambda c: dict(c.execute("SELECT name, value FROM meta")))
        epochs.append(rows["epoch"])
        clock.advance(0.001)
        ledger.database.close()
    assert len(set(epochs)) == 2
