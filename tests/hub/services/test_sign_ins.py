"""Links that sign a browser in, sign-ins and how they end, and who runs the hub."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from hub.core.access import Person, Role
from hub.core.sign_in import LINKS_MAX, TRIES_PER_MINUTE_MAX, SignIn
from hub.store.ledger import Entry
from shared.errors import AppError
from tests.hub.worlds import World

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
HERE = "192.0.2.7"


async def signed_in(world: World, person: Person) -> tuple[SignIn, str]:
    """Sign a browser of a person in; the sign-in, and the secret the browser keeps."""
    sign_ins = world.services.sign_ins
    link = await sign_ins.link(person.person_id)
    opened, secret = await sign_ins.open(link.secret, user_agent=FIREFOX, address=HERE)
    return opened.sign_in, secret


async def refused(world: World, secret: str, code: str = "sign_in_needed") -> None:
    with pytest.raises(AppError) as caught:
        await world.services.sign_ins.check(secret)
    assert caught.value.code == code


async def test_a_link_signs_one_browser_in_once(world: World) -> None:
    anna, sign_ins = await world.person(), world.services.sign_ins
    link = await sign_ins.link(anna.person_id)
    for _ in range(2):
        assert (await sign_ins.look(link.secret, HERE)).name == "anna"
    opened, secret = await sign_ins.open(link.secret, user_agent=FIREFOX, address=HERE)
    assert opened.sign_in.browser == "Firefox on Linux"
    assert secret != link.secret
    assert (await sign_ins.check(secret)).person == anna
    with pytest.raises(AppError) as caught:
        await sign_ins.open(link.secret, user_agent=FIREFOX, address=HERE)
    assert caught.value.code == "sign_in_link_wrong"
    await refused(world, link.secret)


async def test_of_ten_browsers_at_once_one_gets_in(world: World) -> None:
    anna, sign_ins = await world.person(), world.services.sign_ins
    link = await sign_ins.link(anna.person_id)
    tries = (sign_ins.open(link.secret, user_agent="", address=HERE) for _ in range(10))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(end, tuple) for end in ended) == 1
    assert len(await sign_ins.of_person(anna.person_id)) == 1


async def test_an_old_link_is_as_wrong_as_none(world: World) -> None:
    anna = await world.person()
    link = await world.services.sign_ins.link(anna.person_id)
    world.clock.advance(10 * MINUTE)
    for secret in (link.secret, "nonsense", ""):
        with pytest.raises(AppError) as caught:
            await world.services.sign_ins.look(secret, HERE)
        assert caught.value.code == "sign_in_link_wrong"


async def test_the_oldest_of_too_many_links_ends(world: World) -> None:
    anna, sign_ins = await world.person(), world.services.sign_ins
    links = []
    for _ in range(LINKS_MAX + 1):
        links.append(await sign_ins.link(anna.person_id))
        world.clock.advance(1)
    with pytest.raises(AppError):
        await sign_ins.look(links[0].secret, HERE)
    assert (await sign_ins.look(links[1].secret, HERE)).name == "anna"


async def test_no_secret_stands_in_the_store(world: World) -> None:
    anna = await world.person()
    link = await world.services.sign_ins.link(anna.person_id)
    _, secret = await signed_in(world, anna)
    dump = "\n".join(await world.ledger.read(lambda c: list(c.iterdump())))
    assert link.secret not in dump
    assert secret not in dump


async def test_use_keeps_a_sign_in_alive_for_thirty_days_and_no_longer(world: World) -> None:
    anna = await world.person()
    _, secret = await signed_in(world, anna)
    for _ in range(59):
        world.clock.advance(12 * HOUR - 1)
        await world.services.sign_ins.check(secret)
    world.clock.advance(12 * HOUR)
    await refused(world, secret)


async def test_a_page_that_fetches_news_by_itself_is_no_use(world: World) -> None:
    anna = await world.person()
    _, secret = await signed_in(world, anna)
    world.clock.advance(11 * HOUR)
    await world.services.sign_ins.check(secret, is_use=False)
    world.clock.advance(HOUR)
    await refused(world, secret)


async def test_signing_out_ends_one_or_all(world: World) -> None:
    anna, sign_ins = await world.person(), world.services.sign_ins
    bert = await world.person("bert")
    one, one_secret = await signed_in(world, anna)
    two, two_secret = await signed_in(world, anna)
    three, three_secret = await signed_in(world, anna)
    await sign_ins.end(bert.person_id, one.sign_in_id, "bert on the web")
    assert len(await sign_ins.of_person(anna.person_id)) == 3
    await sign_ins.end(anna.person_id, one.sign_in_id, "anna on the web")
    await refused(world, one_secret)
    link = await sign_ins.link(anna.person_id)
    assert await sign_ins.end_all(anna.person_id, "anna on the web", but=two.sign_in_id) == 1
    assert [s.sign_in_id for s in await sign_ins.of_person(anna.person_id)] == [two.sign_in_id]
    await refused(world, three_secret)
    with pytest.raises(AppError):
        await sign_ins.look(link.secret, HERE)
    assert (await sign_ins.check(two_secret)).sign_in.sign_in_id == two.sign_in_id
    told = [fact.type for fact in await world.services.feed.after(0, 100, anna.person_id)]
    assert told.count("browser_signed_in") == 3
    assert told.count("browser_signed_out") == 2
    assert three.sign_in_id != two.sign_in_id


async def test_a_lock_ends_every_sign_in_and_link_and_lets_none_begin(world: World) -> None:
    anna, sign_ins = await world.person(), world.services.sign_ins
    _, secret = await signed_in(world, anna)
    link = await sign_ins.link(anna.person_id)
    await world.services.registry.lock(anna.person_id, "anna on Telegram")
    await refused(world, secret)
    with pytest.raises(AppError) as caught:
        await sign_ins.open(link.secret, user_agent="", address=HERE)
    assert caught.value.code == "sign_in_link_wrong"
    with pytest.raises(AppError) as caught:
        await sign_ins.link(anna.person_id)
    assert caught.value.code == "account_locked"
    await world.services.registry.unlock(anna.person_id, "the hub's owner")
    await refused(world, secret)


async def test_too_many_wrong_links_from_one_address_meet_a_pause(world: World) -> None:
    anna, sign_ins = await world.person(), world.services.sign_ins
    link = await sign_ins.link(anna.person_id)
    for _ in range(TRIES_PER_MINUTE_MAX):
        with pytest.raises(AppError) as caught:
            await sign_ins.open("wrong", user_agent="", address=HERE)
        assert caught.value.code == "sign_in_link_wrong"
    with pytest.raises(AppError) as caught:
        await sign_ins.open(link.secret, user_agent="", address=HERE)
    assert caught.value.code == "sign_in_paused"
    assert caught.value.retry_after_seconds == pytest.approx(MINUTE)
    assert (await sign_ins.look(link.secret, "198.51.100.1")).name == "anna"
    world.clock.advance(MINUTE)
    assert len(await sign_ins.open(link.secret, user_agent="", address=HERE)) == 2


async def test_whoever_is_here_first_runs_the_hub_and_one_owner_stays(world: World) -> None:
    registry = world.services.registry
    anna, bert = await world.person(), await world.person("bert")
    assert (anna.role, bert.role) == (Role.OWNER, Role.MEMBER)
    with pytest.raises(AppError) as caught:
        await registry.set_role(anna.person_id, Role.MEMBER, "anna on the web")
    assert caught.value.code == "last_owner"
    await registry.set_role(bert.person_id, Role.OWNER, "anna on the web")
    await registry.set_role(anna.person_id, Role.MEMBER, "bert on the web")
    people = {p.name: p.role for p in await registry.people()}
    assert people == {"anna": Role.MEMBER, "bert": Role.OWNER}
    told = [f.type for f in await world.services.feed.after(0, 100) if f.type == "role_changed"]
    assert len(told) == 2


async def test_people_may_look_while_the_disk_is_full(world: World) -> None:
    anna = await world.person()
    _, secret = await signed_in(world, anna)

    def fill_the_disk(entry: Entry) -> None:
        entry.connection.execute("ROLLBACK")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with pytest.raises(AppError):
        await world.ledger.write(fill_the_disk)
    world.clock.advance(HOUR)
    assert (await world.services.sign_ins.check(secret)).person == anna
