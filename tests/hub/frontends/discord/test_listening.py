"""What the bot hears: directly, in a channel, in a thread; and what it leaves to others."""

from __future__ import annotations

from hub.core.view import Button, View
from shared.errors import Unavailable
from tests.discord_servers.server import BOT_ID
from tests.discord_servers.state import numbered
from tests.hub.frontends.discord.bench import ANNA, BEN, Bench

MENTION = f"<@{BOT_ID}>"


async def test_a_direct_message_is_heard_whole(bench: Bench) -> None:
    await bench.start()
    await bench.fake.say(ANNA, "  /train sales.csv ")
    heard = await bench.hears(1)
    assert (heard.text, heard.in_group) == ("/train sales.csv", False)
    assert heard.conversation == bench.of(bench.home)
    assert (heard.sender.external_id, heard.sender.name) == (str(ANNA.user_id), "Anna")


async def test_a_file_is_noted_and_left_where_it_is(bench: Bench) -> None:
    await bench.start()
    await bench.fake.say(ANNA, "", files={"a.csv": b"1"})
    assert (await bench.hears(1)).has_file


async def test_a_command_is_what_one_would_have_typed(bench: Bench) -> None:
    await bench.start()
    await bench.fake.choose(ANNA, "train", target="Net revenue", file="my sales.csv", budget="10m")
    heard = await bench.hears(1)
    assert heard.text == '/train budget=10m file="my sales.csv" target="Net revenue"'


async def test_in_a_channel_only_what_names_the_bot_is_heard(bench: Bench) -> None:
    await bench.start()
    await bench.fake.say(ANNA, "lunch?", where=bench.general)
    said = await bench.fake.say(ANNA, f"{MENTION}, /models", where=bench.general)
    heard = await bench.hears(1)
    assert (heard.text, heard.in_group) == ("/models", True)
    # What is asked there begins a conversation of its own.
    assert heard.conversation == f"{bench.of(bench.general)}:{said.message_id}"


async def test_other_bots_are_not_heard(bench: Bench) -> None:
    await bench.start()
    await bench.fake.say(bench.fake.state.bot, f"{MENTION} /models", where=bench.general)
    await bench.fake.say(ANNA, "/models")
    await bench.hears(1)


async def test_a_server_that_its_owner_did_not_name_is_told_so_alone(bench: Bench) -> None:
    bench.remake(servers="")
    await bench.start()
    asked = await bench.fake.choose(ANNA, "models", where=bench.general)
    await bench.fake.until(lambda: asked.is_answered)
    [told] = asked.whispers
    assert told.written == "I do not answer in this server. Write to me in a direct message."
    assert told.seen_by is ANNA
    await bench.fake.say(ANNA, f"{MENTION} /models", where=bench.general)
    await bench.fake.say(ANNA, "/help")
    assert (await bench.hears(1)).text == "/help"


async def test_what_is_private_is_not_even_offered_in_a_server(bench: Bench) -> None:
    await bench.start()
    offered = {c["name"]: c["contexts"] for c in bench.fake.state.commands}
    assert offered["train"] == [1, 0]
    assert offered["connect"] == offered["web"] == offered["lock"] == [1]


async def test_a_press_says_what_its_button_says(bench: Bench) -> None:
    await bench.start()
    shown = await bench.show(View(text="Which?", buttons=(Button("a.csv", says="/answer 1 a"),)))
    press = await bench.fake.press(ANNA, shown, "a.csv")
    assert (await bench.hears(1)).text == "/answer 1 a"
    assert press.answer == 6


async def test_a_press_in_a_server_is_answered_to_who_pressed_alone(bench: Bench) -> None:
    await bench.start()
    where = bench.of(bench.general)
    shown = await bench.show(View(text="Which?", buttons=(Button("a", says="/answer 1 a"),)), where)
    bench.answers = [View(text="This question is for Anna.")]
    press = await bench.fake.press(BEN, shown, "a")
    await bench.fake.until(lambda: bool(press.whispers))
    assert [(w.written, w.seen_by) for w in press.whispers] == [("This question is for Anna.", BEN)]
    assert [m.written for m in bench.fake.of_bot(bench.general)] == ["Which?"]


async def test_a_button_of_long_ago_says_so(bench: Bench) -> None:
    await bench.start()
    shown = await bench.show(View(text="Which?", buttons=(Button("a", says="/answer 1 a"),)))
    shown.rows[0]["components"][0]["custom_id"] = "nobody-knows-this/0"
    press = await bench.fake.press(ANNA, shown, "a")
    await bench.fake.until(lambda: bool(press.whispers))
    assert press.whispers[0].written.startswith("That button is too old.")
    assert bench.heard == []


async def test_a_name_made_up_for_another_chat_means_nothing(bench: Bench) -> None:
    await bench.start()
    shown = await bench.show(View(text="Let Eve in?", buttons=(Button("Yes", says="/approve e"),)))
    name = shown.rows[0]["components"][0]["custom_id"]
    theirs = await bench.fake.say(BEN, "/help")
    await bench.hears(1)
    button = {"type": 2, "style": 1, "label": "Yes", "custom_id": name}
    theirs.rows = numbered([{"type": 1, "components": [button]}])
    press = await bench.fake.press(BEN, theirs, "Yes")
    await bench.fake.until(lambda: bool(press.whispers))
    assert bench.said == ["/help"]


async def test_what_could_not_be_written_down_is_tried_again(bench: Bench) -> None:
    await bench.start()
    bench.faults.append(Unavailable("disk_full", "The disk is full.", retryable=True))
    await bench.fake.say(ANNA, "/models")
    await bench.fake.say(ANNA, "/help")
    await bench.hears(2)
    assert bench.said == ["/models", "/help"]


async def test_what_breaks_us_is_left_out_and_the_next_is_heard(bench: Bench) -> None:
    await bench.start()
    bench.faults.append(ZeroDivisionError())
    await bench.fake.say(ANNA, "/models")
    await bench.fake.say(ANNA, "/help")
    assert (await bench.hears(1)).text == "/help"


async def test_a_promise_that_nothing_came_of_is_taken_back(bench: Bench) -> None:
    await bench.start()
    asked = await bench.fake.choose(ANNA, "answer", id="K7Q2", value="a.csv")
    await bench.hears(1)
    assert asked.response is not None
    assert asked.response.is_thinking
    bench.clock.ahead_seconds += 10
    await bench.fake.until(lambda: asked.is_gone)
    assert bench.fake.of_bot(bench.home) == []


async def test_what_discord_repeats_after_a_resume_is_dealt_with_once(bench: Bench) -> None:
    await bench.start()
    said = await bench.fake.say(ANNA, "/models")
    await bench.fake.tell(said, twice=True)
    await bench.fake.say(ANNA, "/help")
    await bench.hears(2)
    assert bench.said == ["/models", "/help"]
