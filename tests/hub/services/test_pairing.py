"""Pairing: codes, keys, words, decisions and tokens, on a real store."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.access import Person, Scope
from hub.core.joining import STRAYS_PER_ADDRESS_MAX
from hub.core.pairing import PAUSE_SECONDS, TRIES_PER_MINUTE_MAX
from hub.core.view import Sender
from hub.services.pairing import Asked, Paired
from shared.errors import AppError
from shared.events import AccountLinked, JoinRequested, JoinSettled, PairingPaused, WorkerPaired
from shared.ids import ConversationId
from shared.pairing import JoinState, Purpose, check_words
from tests.hub.worlds import World
from tests.makers import ABLE
from tests.pairing import Computer


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


async def code_for(world: World, person: Person, *, is_approved: bool = False) -> str:
    invitation = await world.services.pairing.invite(person.person_id, is_approved=is_approved)
    return invitation.code


async def come(world: World, person: Person, computer: Computer) -> Asked:
    """Ask with a new code; nobody has decided yet."""
    return await computer.ask(world.services, await code_for(world, person))


async def decide(world: World, person: Person, asked: Asked, *, is_approved: bool = True) -> None:
    await world.services.admissions.decide(
        person.person_id, asked.join_id, is_approved=is_approved, by="anna on Telegram"
    )


async def told(world: World, person: Person) -> list[object]:
    facts = await world.services.feed.after(0, 100)
    return [fact.body for fact in facts if fact.person_id == person.person_id]


async def fails(doing: object) -> str:
    """The code of what went wrong; it is told with a next step."""
    with pytest.raises(AppError) as caught:
        await doing  # type: ignore[misc]
    assert caught.value.hint
    return caught.value.code


async def test_a_person_is_shown_who_wants_in_and_says_yes(world: World, anna: Person) -> None:
    pc = Computer(platform="Windows 11", capabilities=ABLE)
    asked = await come(world, anna, pc)
    [shown] = await told(world, anna)
    assert isinstance(shown, JoinRequested)
    words = check_words(pc.introduction.public_key, asked.salt)
    assert (shown.name, shown.platform, shown.words) == ("anna-pc", "Windows 11", words)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(pc.token(world.services, asked))
        await world.committed()
        await decide(world, anna, asked)
    paired = waiting.result()
    access = await world.services.keys.check(paired.token)
    assert (access.scope, access.person_id) == (Scope.WORKER, anna.person_id)
    assert [type(body) for body in await told(world, anna)] == [
        JoinRequested, JoinSettled, WorkerPaired,
    ]  # fmt: skip


async def test_who_was_turned_away_gets_no_token(world: World, anna: Person) -> None:
    pc = Computer()
    asked = await come(world, anna, pc)
    await decide(world, anna, asked, is_approved=False)
    assert await fails(pc.token(world.services, asked)) == "pairing_rejected"
    assert await world.services.views.workers(anna.person_id) == ()


async def test_nobody_is_asked_about_a_code_that_is_approved(world: World, anna: Person) -> None:
    paired = await Computer().pair(world.services, anna.person_id)
    assert paired.person_name == "anna"
    assert [type(body) for body in await told(world, anna)] == [WorkerPaired]


async def test_a_code_is_good_once(world: World, anna: Person) -> None:
    code = await code_for(world, anna, is_approved=True)
    asking = [
        Computer().ask(world.services, code.lower(), f"203.0.113.{number}") for number in range(4)
    ]
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert sum(isinstance(result, Asked) for result in results) == 1


async def test_a_new_code_ends_the_older_one(world: World, anna: Person) -> None:
    first, second = await code_for(world, anna), await code_for(world, anna)
    assert await fails(Computer().ask(world.services, first)) == "pairing_code_wrong"
    await Computer().ask(world.services, second)


async def test_a_code_for_a_computer_lets_no_account_in_nor_the_reverse(
    world: World, anna: Person
) -> None:
    sender = Sender(frontend="telegram", external_id="4711", name="Eve")
    code = await code_for(world, anna)
    link = world.services.pairing.link(code, sender, ConversationId("telegram:4711"))
    assert await fails(link) == "pairing_code_wrong"
    await Computer().ask(world.services, code)
    account = await world.services.pairing.invite(anna.person_id, Purpose.ACCOUNT)
    assert await fails(Computer().ask(world.services, account.code)) == "pairing_code_wrong"
    assert await world.services.registry.person_of(sender) is None


async def test_a_code_lives_ten_minutes(world: World, anna: Person) -> None:
    code = await code_for(world, anna)
    world.clock.advance(10 * 60)
    assert await fails(Computer().ask(world.services, code)) == "pairing_code_wrong"


async def test_wrong_used_and_expired_codes_are_answered_alike(world: World, anna: Person) -> None:
    used = await code_for(world, anna)
    await Computer().ask(world.services, used)
    expired = await code_for(world, anna)
    world.clock.advance(10 * 60)
    answers = set()
    for number, code in enumerate(("BBBB-BBBB", "nonsense", "", used, expired)):
        with pytest.raises(AppError) as caught:
            await Computer().ask(world.services, code, f"198.51.100.{number}")
        answers.add((caught.value.code, caught.value.message, caught.value.hint))
    assert len(answers) == 1


async def test_codes_and_tokens_are_not_in_the_store(world: World, anna: Person) -> None:
    code = await code_for(world, anna)
    shown = (await Computer().ask(world.services, None)).user_code
    paired = await Computer().pair(world.services, anna.person_id)
    world.database.close()
    stored = b"".join(file.read_bytes() for file in world.folder.glob("hub.sqlite3*"))
    for secret in (code, shown, code.replace("-", ""), shown.replace("-", ""), paired.token):
        assert secret.encode() not in stored
    assert paired.token.split("_", 2)[2].encode() not in stored


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "\u202e\u200b", "x" * 200])
async def test_a_name_must_be_a_name_and_a_bad_one_spends_no_code(
    world: World, anna: Person, name: str
) -> None:
    code = await code_for(world, anna)
    assert await fails(Computer(name).ask(world.services, code)) == "worker_name_invalid"
    await Computer().ask(world.services, code)


async def test_what_hides_or_turns_words_around_is_taken_out_of_a_name(
    world: World, anna: Person
) -> None:
    await come(world, anna, Computer("\u202ecp-\x1b[2Janna\n<b>", platform="Win\u202e\x07dows"))
    [shown] = await told(world, anna)
    assert isinstance(shown, JoinRequested)
    assert (shown.name, shown.platform) == ("cp-[2Janna<b>", "Win dows")


async def test_two_machines_of_one_name_are_told_apart(world: World, anna: Person) -> None:
    names = [
        (await Computer(name).pair(world.services, anna.person_id)).worker_name
        for name in ("pc", "PC", "pc")
    ]
    assert names == ["pc", "PC 2", "pc 3"]


async def test_only_the_key_that_asked_gets_the_token(world: World, anna: Person) -> None:
    pc, thief = Computer(), Computer()
    asked = await come(world, anna, pc)
    await decide(world, anna, asked)
    assert await fails(thief.token(world.services, asked)) == "pairing_signature_wrong"
    other = await come(world, anna, pc)
    # A signature is for one pairing alone.
    signed = pc.sign(other.join_id, other.salt)
    token = world.services.pairing.token(asked.join_id, signed)
    assert await fails(token) == "pairing_signature_wrong"
    await pc.token(world.services, asked)


@pytest.mark.parametrize("public_key", [bytes(32), b"\xff" * 32])
async def test_a_key_that_is_none_signs_nothing(
    world: World, anna: Person, public_key: bytes
) -> None:
    pc = Computer()
    pc.introduction = pc.introduction.__class__(public_key=public_key, name="pc")
    asked = await come(world, anna, pc)
    await decide(world, anna, asked)
    assert await fails(pc.token(world.services, asked)) == "pairing_signature_wrong"


async def test_a_lost_token_is_replaced_until_its_worker_has_come(
    world: World, anna: Person
) -> None:
    pc = Computer(capabilities=ABLE)
    asked = await come(world, anna, pc)
    await decide(world, anna, asked)
    first = await pc.token(world.services, asked)
    await world.services.keys.check(first.token)
    second = await pc.token(world.services, asked)
    assert second.worker_id == first.worker_id
    assert await fails(world.services.keys.check(first.token)) == "key_invalid"
    await world.services.keys.check(second.token)
    assert len(await world.services.views.workers(anna.person_id)) == 1
    await introduced(world, second)
    assert await fails(pc.token(world.services, asked)) == "pairing_expired"
    await world.services.keys.check(second.token)


async def introduced(world: World, paired: Paired) -> None:
    from tests.hub.worlds import Desk

    await Desk(world, paired.worker_id, paired.person_id, "anna-pc", ABLE, 2).come()


async def test_a_machine_that_was_set_up_anew_keeps_its_worker_id(
    world: World, anna: Person
) -> None:
    pc = Computer()
    first = await pc.pair(world.services, anna.person_id)
    replaced: list[str] = []
    world.services.pairing.token_listeners.append(replaced.append)
    again = await pc.pair(world.services, anna.person_id)
    assert (again.worker_id, again.worker_name) == (first.worker_id, "anna-pc")
    assert replaced == [first.worker_id]
    assert await fails(world.services.keys.check(first.token)) == "key_invalid"
    assert len(await world.services.views.workers(anna.person_id)) == 1


async def test_a_key_works_for_one_person(world: World, anna: Person) -> None:
    pc = Computer()
    worker_id = (await pc.pair(world.services, anna.person_id)).worker_id
    bert = await world.person("bert")
    code = await code_for(world, bert)
    assert await fails(pc.ask(world.services, code)) == "worker_key_taken"
    # The code is not spent by that; a machine that changes hands starts afresh.
    await world.services.registry.revoke(anna.person_id, worker_id, "anna on Telegram")
    asked = await pc.ask(world.services, code)
    await decide(world, bert, asked)
    assert (await pc.token(world.services, asked)).worker_id != worker_id


async def test_the_same_key_twice_at_once_becomes_one_worker(world: World, anna: Person) -> None:
    pc, bert = Computer(), await world.person("bert")
    asked = [await come(world, anna, pc), await come(world, bert, pc)]
    await decide(world, anna, asked[0])
    await decide(world, bert, asked[1])
    await pc.token(world.services, asked[0])
    assert await fails(pc.token(world.services, asked[1])) == "worker_key_taken"


async def test_a_computer_shows_a_code_and_its_person_sends_it(world: World, anna: Person) -> None:
    pc = Computer()
    asked = await pc.ask(world.services, None)
    assert len(asked.user_code) == 9
    assert await told(world, anna) == []
    adopt = world.services.pairing.adopt
    request = await adopt(anna.person_id, asked.user_code.lower(), "telegram:1")
    [shown] = await told(world, anna)
    assert isinstance(shown, JoinRequested)
    assert shown.words == request.words
    bert = await world.person("bert")
    again = adopt(bert.person_id, asked.user_code, "telegram:2")
    assert await fails(again) == "pairing_code_wrong"
    await decide(world, anna, asked)
    assert (await pc.token(world.services, asked)).person_name == "anna"


async def test_while_nobody_has_decided_there_is_no_token(world: World, anna: Person) -> None:
    pc, shows_code = Computer(), Computer(name="laptop")
    asked = await come(world, anna, pc)
    shown = await shows_code.ask(world.services, None)
    world.services.pairing.close()  # nobody is kept on the line: each is answered at once
    assert await fails(pc.token(world.services, asked)) == "pairing_waiting"
    assert await fails(shows_code.token(world.services, shown)) == "pairing_waiting"
    assert await world.services.views.workers(anna.person_id) == ()


async def test_only_so_many_computers_wait_for_their_person(world: World) -> None:
    for _ in range(STRAYS_PER_ADDRESS_MAX):
        await Computer().ask(world.services, None)
    assert await fails(Computer().ask(world.services, None)) == "too_many_pairings"
    await Computer().ask(world.services, None, "198.51.100.1")
    world.clock.advance(10 * 60)
    await Computer().ask(world.services, None)


async def test_computers_that_found_no_person_leave_nothing_behind(world: World) -> None:
    """Else a stranger who asks and asks fills the disk within days."""
    for _ in range(3):
        for number in range(STRAYS_PER_ADDRESS_MAX):
            await Computer().ask(world.services, None, f"203.0.113.{number}")
        world.clock.advance(10 * 60)
        await world.services.pairing.run_once()
    await Computer().ask(world.services, None)
    [kept] = await world.ledger.read(lambda c: c.execute("SELECT count(*) FROM joins").fetchall())
    assert kept == (1,)


async def test_the_first_decision_counts(world: World, anna: Person) -> None:
    asked = await come(world, anna, Computer())
    results = await asyncio.gather(
        decide(world, anna, asked),
        decide(world, anna, asked, is_approved=False),
        return_exceptions=True,
    )
    [late] = [result for result in results if isinstance(result, AppError)]
    assert late.code == "join_decided"
    assert late.message == "anna-pc was let in before, by anna on Telegram."
    settled = [body for body in await told(world, anna) if isinstance(body, JoinSettled)]
    assert [body.state for body in settled] == ["approved"]


async def test_nobody_decides_for_somebody_else(world: World, anna: Person) -> None:
    asked = await come(world, anna, Computer())
    bert = await world.person("bert")
    assert await fails(decide(world, bert, asked)) == "join_unknown"
    find = world.services.admissions.find
    assert await fails(find(bert.person_id, asked.join_id)) == "join_unknown"
    assert (await find(anna.person_id, asked.join_id)).state is JoinState.WAITING


async def test_too_late_is_too_late(world: World, anna: Person) -> None:
    pc = Computer()
    asked = await come(world, anna, pc)
    world.clock.advance(10 * 60)
    assert await fails(decide(world, anna, asked)) == "join_expired"
    assert await fails(pc.token(world.services, asked)) == "pairing_expired"
    assert await world.services.pairing.run_once() is False
    settled = (await told(world, anna))[-1]
    assert isinstance(settled, JoinSettled)
    assert settled.state == "expired"
    await world.services.pairing.run_once()
    assert len(await told(world, anna)) == 2
    assert await fails(decide(world, anna, asked)) == "join_expired"


async def test_a_decision_outlives_the_hub(world: World, anna: Person) -> None:
    pc = Computer()
    asked = await come(world, anna, pc)
    await world.restart()
    await decide(world, anna, asked)
    await world.restart()
    assert (await pc.token(world.services, asked)).worker_name == "anna-pc"


async def test_five_wrong_tries_pause_an_address(world: World, anna: Person) -> None:
    code = await code_for(world, anna)
    codes = [await fails(Computer().ask(world.services, "BBBB-BBBB")) for _ in range(5)]
    assert codes == ["pairing_code_wrong"] * 4 + ["pairing_paused"]
    assert await fails(Computer().ask(world.services, code)) == "pairing_paused"
    await Computer().ask(world.services, code, "198.51.100.1")


async def test_a_right_code_that_cannot_be_used_does_not_forgive_wrong_ones(
    world: World, anna: Person
) -> None:
    taken = Computer()
    await taken.pair(world.services, (await world.person("bert")).person_id)
    code = await code_for(world, anna)
    for _ in range(4):
        assert await fails(Computer().ask(world.services, "BBBB-BBBB")) == "pairing_code_wrong"
        assert await fails(taken.ask(world.services, code)) == "worker_key_taken"
    assert await fails(Computer().ask(world.services, "BBBB-BBBB")) == "pairing_paused"


async def test_many_guessers_are_paused_together_and_the_owner_is_told_once(
    world: World, anna: Person
) -> None:
    bert = await world.person("bert")
    code = await code_for(world, bert)
    for number in range(TRIES_PER_MINUTE_MAX):
        guess = Computer().ask(world.services, "BBBB-BBBB", f"203.0.113.{number}")
        assert await fails(guess) == "pairing_code_wrong"
    for number in range(3):
        guess = Computer().ask(world.services, "BBBB-BBBB", f"198.51.100.{number}")
        assert await fails(guess) == "pairing_paused"
    [alarm] = await told(world, anna)
    assert alarm == PairingPaused(tries=30, addresses=30, minutes=15)
    # A right code does not pass either, or guessers with many addresses would be told by it.
    assert await fails(Computer().ask(world.services, code, "192.0.2.1")) == "pairing_paused"
    # A known account has its own count: its person can still bring a computer in.
    shown = await Computer().ask(world.services, None, "192.0.2.1")
    await world.services.pairing.adopt(bert.person_id, shown.user_code, "telegram:1")
    world.clock.advance(PAUSE_SECONDS)
    await Computer().ask(world.services, await code_for(world, bert), "192.0.2.1")


async def test_a_person_who_guesses_is_paused_too(world: World, anna: Person) -> None:
    adopt = world.services.pairing.adopt
    for _ in range(4):
        assert await fails(adopt(anna.person_id, "BBBB-BBBB", "telegram:1")) == "pairing_code_wrong"
    assert await fails(adopt(anna.person_id, "BBBB-BBBB", "telegram:1")) == "pairing_paused"


async def test_a_lock_turns_away_computers_that_are_on_their_way(
    world: World, anna: Person
) -> None:
    waiting, approved = Computer(), Computer(name="thief-pc")
    asked = await come(world, anna, waiting)
    by_code = await approved.ask(world.services, await code_for(world, anna, is_approved=True))
    code = await code_for(world, anna, is_approved=True)
    await world.services.registry.lock(anna.person_id, "anna on Telegram")
    assert await fails(waiting.token(world.services, asked)) == "pairing_rejected"
    assert await fails(approved.token(world.services, by_code)) == "pairing_rejected"
    await world.services.registry.unlock(anna.person_id, "the hub's owner")
    assert await fails(Computer().ask(world.services, code)) == "pairing_code_wrong"
    assert await world.services.views.workers(anna.person_id) == ()


async def test_who_passed_the_door_before_a_lock_can_let_nobody_in_after_it(
    world: World, anna: Person
) -> None:
    pairing, person_id = world.services.pairing, anna.person_id
    pc, shows_code = Computer(), Computer(name="laptop")
    asked = await come(world, anna, pc)
    shown = await shows_code.ask(world.services, None)
    await decide(world, anna, asked)
    await pc.token(world.services, asked)
    await world.services.registry.lock(person_id, "anna on Telegram")
    assert await fails(pairing.invite(person_id)) == "account_locked"
    adopting = pairing.adopt(person_id, shown.user_code, "telegram:1")
    assert await fails(adopting) == "account_locked"
    assert await fails(pc.token(world.services, asked)) == "account_locked"


async def test_an_accounts_name_is_told_without_what_hides_in_it(
    world: World, anna: Person
) -> None:
    code = await world.services.pairing.invite(anna.person_id, Purpose.ACCOUNT)
    eve = Sender(frontend="matrix", external_id="7", name="Anna\n\u202e\x1b[2J phone")
    await world.services.pairing.link(code.code, eve, ConversationId("matrix:7"))
    [linked] = await told(world, anna)
    assert isinstance(linked, AccountLinked)
    assert linked.name == "Anna [2J phone"


async def test_a_locked_owner_lets_no_account_in(world: World, anna: Person) -> None:
    eve = Sender(frontend="telegram", external_id="7", name="Eve")
    await world.services.admissions.knock(eve, ConversationId("telegram:7"))
    [request] = await world.services.admissions.requests(anna.person_id)
    await world.services.registry.lock(anna.person_id, "anna on Telegram")
    deciding = world.services.admissions.decide(
        anna.person_id, request.join_id, is_approved=True, by="eve"
    )
    assert await fails(deciding) == "account_locked"
