"""What people say in Telegram reaches the inbox once, whatever happens on the way."""

from __future__ import annotations

import logging

import pytest

from hub.core.view import Button, View
from hub.frontends.commands import COMMANDS
from hub.frontends.telegram.reception import TOO_OLD
from hub.ports import HealthState
from shared.errors import Unavailable
from tests.hub.frontends.telegram.bench import ANNA_ID, GROUP, GROUP_ID, HOME, Bench


async def test_words_reach_the_inbox_with_who_said_them_where(bench: Bench) -> None:
    await bench.start()
    assert bench.frontend.status().state is HealthState.OK
    bench.fake.say(bench.anna(), "/start BCDF-GHJK")
    await bench.until(lambda: bool(bench.heard))
    [heard] = bench.heard
    assert (heard.text, heard.conversation, heard.in_group) == ("/start BCDF-GHJK", HOME, False)
    assert heard.sender.frontend == "telegram"
    assert (heard.sender.external_id, heard.sender.name) == (str(ANNA_ID), "Anna")
    assert heard.answer_waits


async def test_the_menu_is_the_command_table(bench: Bench) -> None:
    await bench.start()
    [commands] = bench.fake.state.commands.values()
    assert [c["command"] for c in commands] == [c.name for c in COMMANDS if c.in_menu]


async def test_the_link_to_the_chat_names_the_bot(bench: Bench) -> None:
    assert bench.frontend.chat_link == ""
    await bench.start()
    assert bench.frontend.chat_link == "https://t.me/deskhand_test_bot?start={code}"


async def test_an_update_is_confirmed_only_after_the_inbox_has_it(bench: Bench) -> None:
    bench.faults += [Unavailable("disk_full", "The disk is full.", retryable=True)]
    await bench.start()
    bench.fake.say(bench.anna(), "/jobs")
    await bench.until_state(HealthState.TROUBLED)
    assert bench.fake.state.updates, "Telegram keeps it"
    assert not bench.heard
    await bench.until(lambda: bench.said == ["/jobs"])
    await bench.fake.until(lambda: not bench.fake.state.updates)
    assert bench.frontend.status().state is HealthState.OK


async def test_a_hub_that_comes_back_hears_what_was_not_confirmed(bench: Bench) -> None:
    await bench.start()
    await bench.frontend.stop()
    bench.fake.say(bench.anna(), "/jobs")
    bench.remake()
    await bench.start()
    await bench.until(lambda: bench.said == ["/jobs"])


async def test_an_update_that_breaks_us_is_left_out_the_third_time(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.faults += [RuntimeError("ours")] * 3
    await bench.start()
    anna = bench.anna()
    bench.fake.say(anna, "/jobs")
    bench.fake.say(anna, "/help")
    await bench.until(lambda: bench.said == ["/help"])
    assert "is left out" in caplog.text


async def test_files_are_left_where_they_are_and_words_with_them_are_heard(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    bench.fake.send_file(anna, "sales.csv", b"a,b\n1,2\n")
    bench.fake.send_file(anna, "sales.csv", b"a,b\n1,2\n", caption="/train")
    await bench.until(lambda: len(bench.heard) == 2)
    assert [(i.text, i.has_file) for i in bench.heard] == [("", True), ("/train", True)]
    assert not [call for call in bench.fake.calls if call.method == "getFile"]


async def test_a_reply_names_the_message_it_is_to(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    asked = await bench.show(View(text="Which file?"))
    shown = bench.fake.transcript(anna)[-1]
    bench.fake.say(anna, "sales.csv", reply_to=shown)
    await bench.until(lambda: bool(bench.heard))
    assert bench.heard[0].replies_to == str(asked)


async def test_a_command_for_another_bot_is_none_of_ours(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    bench.fake.say(anna, "/jobs@other_bot")
    bench.fake.say(anna, "/cancel@deskhand_test_bot K7Q2")
    await bench.until(lambda: bool(bench.heard))
    assert bench.said == ["/cancel K7Q2"]


# Buttons.


async def test_a_tap_says_what_its_button_stands_for_and_is_answered(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    await bench.show(View(text="Which file?", buttons=(Button("Sales", says="/answer 1 sales"),)))
    tap = bench.fake.tap(anna, bench.fake.transcript(anna)[-1], "Sales")
    await bench.until(lambda: bench.said == ["/answer 1 sales"])
    assert tap.is_answered
    assert not tap.toast
    assert bench.heard[0].sender.external_id == str(ANNA_ID)


async def test_a_button_nobody_knows_any_more_gets_a_toast(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    await bench.show(View(text="Go?", buttons=(Button("Go", says="/jobs"),)))
    shown = bench.fake.transcript(anna)[-1]
    shown.buttons[0]["callback_data"] = "unknown"
    tap = bench.fake.tap(anna, shown, "Go")
    await bench.fake.until(lambda: tap.is_answered)
    assert (tap.toast, tap.is_alert) == (TOO_OLD, True)
    assert not bench.heard


async def test_a_tap_that_can_no_longer_be_answered_counts_all_the_same(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    await bench.show(View(text="Go?", buttons=(Button("Go", says="/jobs"),)))
    await bench.frontend.stop()
    bench.fake.expire(bench.fake.tap(anna, bench.fake.transcript(anna)[-1], "Go"))
    await bench.start()
    await bench.until(lambda: bench.said == ["/jobs"])
    assert bench.frontend.status().state is HealthState.OK


async def test_in_a_group_a_short_answer_to_a_tap_is_a_toast_for_who_tapped(bench: Bench) -> None:
    await bench.start()
    anna, ben = bench.anna(), bench.fake.user(7002, "Ben")
    bench.fake.group(GROUP_ID, "Lab", anna)
    await bench.show(View(text="Which?", buttons=(Button("A", says="/answer 1 A"),)), GROUP)
    bench.answers = [View(text="⚠ This question is for Anna.")]
    tap = bench.fake.tap(ben, bench.fake.of_bot(GROUP_ID)[-1], "A")
    await bench.fake.until(lambda: tap.is_answered)
    assert tap.toast == "⚠ This question is for Anna."
    assert len(bench.fake.of_bot(GROUP_ID)) == 1
    assert bench.heard[0].sender.external_id == "7002"


async def test_in_a_group_a_long_answer_to_a_tap_is_a_message(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    bench.fake.group(GROUP_ID, "Lab", anna)
    await bench.show(View(text="Look?", buttons=(Button("Jobs", says="/jobs"),)), GROUP)
    bench.answers = [View(text="\n".join(f"job {n}" for n in range(60)))]
    tap = bench.fake.tap(anna, bench.fake.of_bot(GROUP_ID)[-1], "Jobs")
    await bench.fake.until(lambda: len(bench.fake.of_bot(GROUP_ID)) == 2)
    assert tap.is_answered
    assert not tap.toast


# Groups.


async def test_a_group_the_owner_did_not_name_gets_nothing_but_one_line_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub.frontends.telegram")
    await bench.start()
    anna = bench.anna()
    bench.fake.group(-99, "Strangers", anna)
    for _ in range(3):
        bench.fake.say(anna, "/help", chat=-99)
    bench.fake.say(anna, "/jobs")
    await bench.until(lambda: bench.said == ["/jobs"])
    assert not bench.fake.of_bot(-99)
    told = [record.getMessage() for record in caplog.records if "not answered" in record.message]
    assert len(told) == 1
    assert "-99" in told[0]


async def test_in_a_group_only_what_is_said_to_the_bot_is_heard(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    bench.fake.group(GROUP_ID, "Lab", anna)
    await bench.show(View(text="Which file?"), GROUP)
    shown = bench.fake.of_bot(GROUP_ID)[-1]
    bench.fake.say(anna, "lunch at twelve?", chat=GROUP_ID)
    bench.fake.say(anna, "/jobs@other_bot", chat=GROUP_ID)
    bench.fake.say(anna, "/jobs@Deskhand_Test_Bot", chat=GROUP_ID)
    bench.fake.say(anna, "@deskhand_test_bot, sales.csv", chat=GROUP_ID)
    bench.fake.say(anna, "churn.csv", chat=GROUP_ID, reply_to=shown)
    await bench.until(lambda: len(bench.heard) == 3)
    assert bench.said == ["/jobs", "sales.csv", "churn.csv"]
    assert all(inbound.in_group and inbound.conversation == GROUP for inbound in bench.heard)
