"""Which hub this machine belongs to, and whether it runs one itself."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Asked, Pairing
from shared.ids import WorkerId

OURS = 8123


def paired(hub_url: str) -> Pairing:
    return Pairing(
        hub_url=hub_url,
        worker_id=WorkerId("01900000-0000-7000-8000-00000000aaaa"),
        worker_name="anna-pc",
        hub_name="this computer",
        person_name="Anna",
    )


@pytest.mark.parametrize(
    ("hub_url", "port"),
    [("", 0), ("https://hub.example.org", 0), (facts.local_hub_url(OURS), OURS)],
    ids=["no hub", "another hub", "our hub"],
)
async def test_a_hub_of_our_own_is_wanted_only_while_this_machine_belongs_to_it(
    tmp_path: Path, hub_url: str, port: int
) -> None:
    with open_store(tmp_path / "store") as database:
        if hub_url:
            await database.write(lambda c: facts.save_pairing(c, paired(hub_url)))
        await database.write(lambda c: facts.put_local_hub_port(c, OURS))
        await database.write(facts.tidy_local_hub)
        assert await database.read(facts.local_hub_port) == port


async def test_what_a_hub_of_our_own_was_asked_is_not_waited_for_without_it(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path / "store") as database:
        for hub_url, is_kept in ((facts.local_hub_url(OURS), False), ("https://a.example", True)):
            asked = Asked(
                hub_url=hub_url,
                code="BCDF-GHJK",
                name="anna-pc",
                public_key="",
                pairing_id="1",
                salt="",
                words="amber falcon",
                user_code="",
                expires_at=datetime(2999, 1, 1, tzinfo=UTC),
            )
            await database.write(lambda c: facts.put_local_hub_port(c, OURS))
            await database.write(partial(facts.save_asked, asking=asked))
            await database.write(facts.tidy_local_hub)
            assert (await database.read(facts.asked) is not None) == is_kept


async def test_a_machine_moves_along_with_its_own_hub_and_with_no_other(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as database:
        await database.write(lambda c: facts.put_local_hub_port(c, OURS))
        await database.write(lambda c: facts.save_pairing(c, paired(facts.local_hub_url(OURS))))
        await database.write(lambda c: facts.put_local_hub_port(c, 9000))
        assert await database.read(lambda c: facts.get(c, "hub_url")) == facts.local_hub_url(9000)
        await database.write(lambda c: facts.put(c, "hub_url", "https://hub.example.org"))
        await database.write(lambda c: facts.put_local_hub_port(c, 9001))
        assert await database.read(lambda c: facts.get(c, "hub_url")) == "https://hub.example.org"


async def test_leaving_forgets_all_of_a_hub_and_can_be_done_twice(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as database:
        await database.write(lambda c: facts.save_pairing(c, paired("https://hub.example.org")))
        await database.write(lambda c: facts.put(c, "public_key", "the key stays"))
        epoch = await database.read(facts.epoch)
        await database.write(
            lambda c: c.execute(
                "insert into peer (worker_id, name, public_key) values ('m', 'mac', 'k')"
            )
        )
        for _ in range(2):
            await database.write(facts.forget_pairing)
        assert await database.read(lambda c: c.execute("select * from peer").fetchall()) == []
        assert await database.read(facts.pairing) is None
        assert await database.read(facts.public_key) == "the key stays"
        await database.write(lambda c: facts.save_pairing(c, paired("https://hub.example.org")))
        assert await database.read(facts.epoch) > epoch, "what was said before is not said again"
