"""Rooms of a real homeserver: who is let in, what is heard there, and who it is shown to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nio
import pytest

from hub.core.view import Button, View
from hub.frontends.matrix.conversations import conversation_of
from hub.frontends.matrix.sealed import GRACE_SECONDS
from shared.errors import Unavailable
from shared.ids import TaskId
from tests.hub.frontends.world import until

if TYPE_CHECKING:
    from tests.hub.frontends.matrix.bench import Bench

pytestmark = pytest.mark.flow


async def test_a_group_is_joined_for_people_who_are_linked_alone(bench: Bench) -> None:
    await bench.start()
    async with bench.person("mallory", is_known=False) as mallory, bench.person("anna") as anna:
        theirs = await mallory.open_room(bench.bot, is_direct=False)
        await mallory.until(lambda: _is_declined(bench, theirs))
        ours = await bench.room(anna, mallory.user_id)
        assert mallory.sees_member(theirs, bench.bot) is False
        assert anna.sees_member(ours, bench.bot)


def _is_declined(bench: Bench, room_id: str) -> bool:
    path = f"/_synapse/admin/v1/rooms/{room_id}/state"
    state = bench.server.ask("GET", path)["state"]
    told = [e for e in state if e["type"] == "m.room.member" and e["state_key"] == bench.bot]
    return [event["content"]["membership"] for event in told] == ["leave"]


async def test_a_stranger_is_heard_in_a_talk_of_two_and_left_when_others_come(
    bench: Bench,
) -> None:
    await bench.start()
    async with bench.person("mallory", is_known=False) as mallory:
        room_id = await bench.room(mallory)
        await mallory.say(room_id, "!train")
        heard = await bench.until_said("/train")
        assert heard.sender.external_id == mallory.user_id
        assert heard.in_group is False
        await mallory.client.room_invite(room_id, bench.server.person("eve"))
        await mallory.say(room_id, "!jobs")
        await mallory.until(lambda: not mallory.sees_member(room_id, bench.bot))
    assert bench.said == ["/train"]


async def test_in_a_group_only_what_is_for_the_bot_is_heard(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, bench.server.person("ben"))
        shown = await bench.show(room_id, View(text="Which file?"), is_group=True)
        await anna.until(lambda: shown in anna.messages)
        name = bench.bot.partition(":")[0][1:]
        await anna.say(room_id, "what a day")
        mention = {"m.mentions": {"user_ids": [bench.bot]}}
        await anna.say(room_id, f"{name}: train a model", **mention)
        await anna.say(room_id, "!jobs")
        await anna.say(room_id, "!weather tomorrow")
        own = await anna.say(room_id, "remember this")
        await anna.until(lambda: own in anna.messages)
        await anna.reply(anna.messages[own], "I do")
        await anna.reply(anna.messages[shown], "a.csv")
        await anna.say(room_id, "/help")
        await bench.until_said("/help")
    assert bench.said == ["train a model", "/jobs", "a.csv", "/help"]
    assert bench.heard[2].replies_to == shown
    assert all(inbound.in_group for inbound in bench.heard)


async def test_each_task_has_a_thread_in_a_group_also_after_a_restart(bench: Bench) -> None:
    task = TaskId("019aa000-0000-7000-8000-00000000000a")
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, bench.server.person("ben"))
        root = await bench.show(room_id, View(text="Training …", task_id=task), is_group=True)
        await bench.restart()
        where = conversation_of(room_id, is_group=True)
        later = await bench.frontend.render(where, View(text="Ready.", task_id=task), None)
        await anna.until(lambda: later.value in anna.messages)
        assert anna.messages[later.value].thread == root
        relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True}
        relation["m.in_reply_to"] = {"event_id": root}
        await anna.say(room_id, "continue", **{"m.relates_to": relation})
        heard = await bench.until_said("continue")
    assert heard.task_id == task
    assert heard.replies_to == ""


async def test_what_is_for_one_person_is_not_shown_where_others_came(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna)
        await bench.show(room_id, View(text="Your code: ABCD"))
        await anna.client.room_invite(room_id, bench.server.person("ben"))
        await anna.say(room_id, "!jobs")
        await bench.until_said("/jobs")
        with pytest.raises(Unavailable, match="Others joined that room"):
            await bench.show(room_id, View(text="Another code: EFGH"))
    assert bench.heard[-1].in_group


async def test_edits_notices_removals_and_own_words_are_not_heard(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna)
        said = await anna.say(room_id, "!trian")
        new = {"msgtype": "m.text", "body": "!train"}
        relation = {"rel_type": "m.replace", "event_id": said}
        await anna.say(room_id, "* !train", **{"m.new_content": new, "m.relates_to": relation})
        await anna.send(room_id, {"msgtype": "m.notice", "body": "!train"})
        shown = await bench.show(room_id, View(text="!train"))
        await anna.client.room_redact(room_id, said)
        await anna.client.room_redact(room_id, shown)
        await anna.send_file(room_id, "sales.csv", b"a,b\n1,2\n")
        await anna.say(room_id, "!jobs")
        await bench.until_said("/jobs")
    assert bench.said == ["/trian", "", "/jobs"]
    assert [inbound.has_file for inbound in bench.heard] == [False, True, False]


async def test_a_tap_says_what_its_sign_stands_for_whoever_taps(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna, bench.person("mallory", is_known=False) as mallory:
        room_id = await bench.room(anna, mallory.user_id)
        await mallory.client.join(room_id)
        view = View(text="Really?", buttons=(Button("Yes", says="/approve 1"),))
        shown = await bench.show(room_id, view, is_group=True)
        await anna.until(lambda: shown in anna.messages)
        await anna.until(lambda: anna.messages[shown].signs_of(bench.bot) == ["✅"])
        await anna.react(anna.messages[shown], "👍")
        await mallory.until(lambda: shown in mallory.messages)
        await mallory.react(mallory.messages[shown], "✅")
        await bench.until_said("/approve 1")
        # Names of ours in a message of somebody else's are worth nothing.
        forged = await mallory.send(room_id, {**mallory.messages[shown].content, "body": "✅ x"})
        await anna.until(lambda: forged in anna.messages)
        await anna.react(anna.messages[forged], "✅")
        await anna.say(room_id, "!jobs")
        await bench.until_said("/jobs")
    assert bench.said == ["/approve 1", "/jobs"]
    assert bench.heard[0].sender.external_id == mallory.user_id


async def test_a_message_whose_key_is_missing_is_told_of_and_read_when_it_comes(
    bench: Bench,
) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, is_encrypted=True)
        await anna.reads(lambda shown: shown.body.startswith("This room is encrypted."))
        anna.keeps_keys = True
        sent = await anna.say(room_id, "!train")
        bench.clock.ahead_seconds += GRACE_SECONDS + 1
        told = await anna.reads(lambda shown: "could not read your message" in shown.body)
        assert told.was_encrypted
        await bench.restart()
        await anna.hand_over_keys(room_id)
        heard = await bench.until_said("/train")
    assert heard.dedupe == sent


async def test_words_without_encryption_are_left_out_of_an_encrypted_room(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        room_id = await bench.room(anna, is_encrypted=True)
        await anna.reads(lambda shown: shown.body.startswith("This room is encrypted."))
        path = f"/_matrix/client/v3/rooms/{room_id}/send/m.room.message/1"
        forged = {"msgtype": "m.text", "body": "!train"}
        bench.server.ask("PUT", path, forged, anna.client.access_token)
        await anna.reads(lambda shown: "I left that message out" in shown.body)
        await anna.say(room_id, "!jobs")
        await bench.until_said("/jobs")
    assert bench.said == ["/jobs"]


async def test_a_bot_that_was_removed_says_so_until_it_is_asked_back(bench: Bench) -> None:
    await bench.start()
    async with bench.person("anna") as anna:
        # Of such a room its maker alone is the master.
        room_id = await anna.open_room(bench.bot, preset=nio.RoomPreset.private_chat)
        await anna.until(lambda: anna.sees_member(room_id, bench.bot))
        await bench.show(room_id, View(text="Here I am."))
        await anna.client.room_kick(room_id, bench.bot)
        with pytest.raises(Unavailable) as raised:
            await bench.show(room_id, View(text="Are you there?"))
        assert raised.value.code == "chat_blocked"
        bench.arrived.clear()
        await anna.client.room_invite(room_id, bench.bot)
        await until(lambda: conversation_of(room_id, is_group=False) in bench.arrived)
        await bench.show(room_id, View(text="Back again."))
