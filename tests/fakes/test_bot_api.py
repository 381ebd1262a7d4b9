"""The fake Bot API is as strict as it says, and a second client library agrees with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.fakes.bot_api import FakeBotApi
    from tests.fakes.bot_api_state import User

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4) + bytes(16)


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    from tests.fakes.bot_api import open_bot_api

    async with open_bot_api() as opened:
        yield opened


@pytest.fixture
def anna(fake: FakeBotApi) -> User:
    user = fake.user(7001, "Anna", "anna")
    fake.say(user, "/start")
    return user


@pytest.fixture
async def client(fake: FakeBotApi) -> AsyncIterator[httpx.AsyncClient]:
    from tests.fakes.bot_api import TOKEN

    async with httpx.AsyncClient(
        base_url=f"{fake.url}/bot{TOKEN}/", trust_env=False, verify=False
    ) as opened:
        yield opened


async def call(client: httpx.AsyncClient, method: str, **parameters: Any) -> Any:
    """Call a method; the result."""
    reply = (await client.post(method, json=parameters)).json()
    assert reply["ok"], reply
    return reply["result"]


async def refusal(client: httpx.AsyncClient, method: str, **parameters: Any) -> str:
    """Call a method that refuses; code and description."""
    response = await client.post(method, json=parameters)
    reply = response.json()
    assert reply["ok"] is False, reply
    assert reply["error_code"] == response.status_code
    return f"{response.status_code} {reply['description']}"


def keyboard(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "Go", **button}]]}


async def test_a_wrong_token_is_refused(fake: FakeBotApi) -> None:
    async with httpx.AsyncClient(
        base_url=f"{fake.url}/bot1:wrong/", trust_env=False, verify=False
    ) as stranger:
        assert await refusal(stranger, "getMe") == "401 Unauthorized"


@pytest.mark.parametrize(
    ("method", "parameters", "told"),
    [
        ("sendMessage", {"text": ""}, "message text is empty"),
        ("sendMessage", {"text": "<b> </b>", "parse_mode": "HTML"}, "message text is empty"),
        ("sendMessage", {"text": "x" * 4097}, "message is too long"),
        ("sendMessage", {"text": "😀" * 2049}, "message is too long"),
        ("sendMessage", {"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find"),
        ("sendMessage", {"text": "a < b", "parse_mode": "HTML"}, "can't parse entities: Unsupp"),
        ("sendMessage", {"text": "<p>x</p>", "parse_mode": "HTML"}, "can't parse entities: Unsup"),
        ("sendMessage", {"text": "<b>x</i>", "parse_mode": "HTML"}, "can't parse entities: Unmat"),
        ("sendMessage", {"text": "x</b>", "parse_mode": "HTML"}, "can't parse entities: Unexpec"),
        ("sendMessage", {"text": "x", "colour": "red"}, "unknown parameter ['colour']"),
        ("sendMessage", {}, "can't parse text"),
        ("sendMessage", {"text": "x", "reply_markup": keyboard(callback_data="x" * 65)}, "BUTTON"),
        ("sendMessage", {"text": "x", "reply_markup": keyboard()}, "can't parse inline keyboard"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": keyboard(url="deskhand://pair?code=X")},
            "inline keyboard button URL 'deskhand://pair?code=X' is invalid: Unsupported URL pro",
        ),
        (
            "sendMessage",
            {"text": "x", "reply_markup": keyboard(url="http://localhost:8971/download")},
            "inline keyboard button URL 'http://localhost:8971/download' is invalid: Wrong HTTP",
        ),
        ("sendMessage", {"text": "x", "reply_markup": keyboard(says="x")}, "unknown field ['.rep"),
        (
            "sendMessage",
            {"text": "x", "reply_parameters": {"message_id": 5}},
            "message to be replied not found",
        ),
        ("editMessageText", {"text": "x", "message_id": 5}, "message to edit not found"),
        ("setMyCommands", {"commands": [{"command": "Train", "description": "x"}]}, "BOT_COMMAND"),
        ("setWebhook", {"url": "http://127.0.0.1/x"}, "bad webhook: An HTTPS URL must be"),
    ],
)
async def test_what_telegram_refuses_is_refused(
    client: httpx.AsyncClient, anna: User, method: str, parameters: dict[str, Any], told: str
) -> None:
    chat = {} if method.startswith("set") else {"chat_id": anna.user_id}
    answer = await refusal(client, method, **chat, **parameters)
    assert answer.startswith(f"400 Bad Request: {told}")


async def test_html_becomes_text_and_entities(client: httpx.AsyncClient, anna: User) -> None:
    text = " <b>bug &lt;fix&gt;</b> 😀 <code>x&amp;y</code>&nbsp; "
    sent = await call(client, "sendMessage", chat_id=anna.user_id, text=text, parse_mode="HTML")
    assert sent["text"] == "bug <fix> 😀 x&y&nbsp;"
    assert sent["entities"] == [
        {"type": "bold", "offset": 0, "length": 9},
        {"type": "code", "offset": 13, "length": 3},
    ]


async def test_a_message_is_edited_once_by_the_same_edit(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    sent = await call(
        client,
        "sendMessage",
        chat_id=anna.user_id,
        text="One",
        reply_markup=keyboard(callback_data="1"),
    )
    edit = {"chat_id": anna.user_id, "message_id": sent["message_id"], "text": "Two"}
    await call(client, "editMessageText", **edit)
    assert "message is not modified" in await refusal(client, "editMessageText", **edit)
    shown = fake.transcript(anna)[-1]
    assert (shown.text, shown.labels, shown.edits) == ("Two", [], 1)


async def test_a_press_is_answered_once(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    await call(
        client,
        "sendMessage",
        chat_id=anna.user_id,
        text="One",
        reply_markup=keyboard(callback_data="1"),
    )
    tap = fake.tap(anna, fake.transcript(anna)[-1], "Go")
    updates = await call(client, "getUpdates")
    assert updates[-1]["callback_query"]["data"] == "1"
    await call(client, "answerCallbackQuery", callback_query_id=tap.query_id, text="Done")
    assert (tap.is_answered, tap.toast) == (True, "Done")
    again = await refusal(client, "answerCallbackQuery", callback_query_id=tap.query_id)
    assert "query is too old" in again


async def test_updates_come_until_they_are_confirmed(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    fake.say(anna, "two")
    fake.say(anna, "three")
    first, second = await call(client, "getUpdates", limit=2)
    assert await call(client, "getUpdates", limit=2) == [first, second]
    [third] = await call(client, "getUpdates", offset=second["update_id"] + 1)
    assert third["message"]["text"] == "three"
    assert await call(client, "getUpdates", offset=third["update_id"] + 1, timeout=0) == []


async def test_a_long_poll_waits_for_the_next_word(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    await call(client, "getUpdates", offset=-1)
    waiting = asyncio.ensure_future(  # noqa: TID251
        call(client, "getUpdates", offset=fake.state.updates[-1]["update_id"] + 1, timeout=30)
    )
    await fake.until(lambda: fake.is_polled)
    fake.say(anna, "now")
    [update] = await waiting
    assert update["message"]["text"] == "now"


async def test_a_second_reader_ends_the_first(fake: FakeBotApi, client: httpx.AsyncClient) -> None:
    first = asyncio.ensure_future(refusal(client, "getUpdates", timeout=30))  # noqa: TID251
    await fake.until(lambda: fake.is_polled)
    assert await call(client, "getUpdates", timeout=0) == []
    assert (await first).startswith("409 Conflict: terminated by other getUpdates request")


async def test_a_blocked_bot_is_refused_until_it_is_unblocked(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    fake.block(anna)
    told = await refusal(client, "sendMessage", chat_id=anna.user_id, text="x")
    assert told == "403 Forbidden: bot was blocked by the user"
    fake.unblock(anna)
    await call(client, "sendMessage", chat_id=anna.user_id, text="x")


async def test_who_never_spoke_cannot_be_written_to(
    fake: FakeBotApi, client: httpx.AsyncClient
) -> None:
    assert "chat not found" in await refusal(client, "sendMessage", chat_id=8, text="x")
    fake.user(8, "Ben")
    told = await refusal(client, "sendMessage", chat_id=8, text="x")
    assert told == "403 Forbidden: bot can't initiate conversation with a user"


async def test_files_arrive_whole_and_pictures_must_be_pictures(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    document = {"document": ("año <1>.csv", b"a,b\n1,2\n", "text/csv")}
    reply = await client.post("sendDocument", data={"chat_id": "7001"}, files=document)
    shown = fake.transcript(anna)[-1]
    assert shown.document is not None
    assert (shown.document.name, shown.document.content) == ("año <1>.csv", b"a,b\n1,2\n")
    file = await call(client, "getFile", file_id=reply.json()["result"]["document"]["file_id"])
    path = f"{fake.url}/file/bot{client.base_url.path[4:]}{file['file_path']}"
    assert (await client.get(path)).content == b"a,b\n1,2\n"
    picture = {"photo": ("p.png", PNG, "image/png")}
    reply = await client.post("sendPhoto", data={"chat_id": "7001"}, files=picture)
    assert reply.json()["result"]["photo"][0]["width"] == 640
    wrong = {"photo": ("p.png", b"not a picture", "image/png")}
    reply = await client.post("sendPhoto", data={"chat_id": "7001"}, files=wrong)
    assert reply.json()["description"] == "Bad Request: IMAGE_PROCESS_FAILED"


def taken_in(seconds: int, chat_id: int) -> int:
    """How many messages a chat takes when one is tried every quarter of a second."""
    from tests.fakes.bot_api_pace import Limits

    now = 0.0
    limits = Limits(lambda: now)
    taken = 0
    for quarter in range(seconds * 4):
        now = quarter / 4
        taken += limits.retry_after(chat_id) == 0
    return taken


def test_a_chat_takes_a_burst_of_five_and_one_a_second() -> None:
    assert 24 <= taken_in(20, chat_id=7) <= 25


def test_a_group_takes_twenty_a_minute() -> None:
    assert taken_in(60, chat_id=-7) == 20
    assert taken_in(120, chat_id=-7) == 40


def test_all_chats_together_take_thirty_a_second() -> None:
    from tests.fakes.bot_api_pace import Limits

    now = 0.0
    limits = Limits(lambda: now)
    assert [limits.retry_after(chat) for chat in range(31)] == [0] * 30 + [1]
    now = 0.9
    assert limits.retry_after(50) == 1
    now = 1.0
    assert limits.retry_after(50) == 0


async def test_who_is_too_fast_is_told_how_long_to_wait(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    fake.limits.clock = lambda: 1.0
    for _ in range(5):
        await call(client, "sendMessage", chat_id=anna.user_id, text="x")
    reply = (await client.post("sendMessage", json={"chat_id": 7001, "text": "y"})).json()
    assert reply["description"] == "Too Many Requests: retry after 1"
    assert reply["parameters"] == {"retry_after": 1}


@pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 1)])
async def test_a_connection_drops_before_or_after_the_message_is_kept(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User, when: str, kept: int
) -> None:
    from tests.fakes.bot_api import Drop

    fake.plan(Drop(when), method="sendMessage")
    with pytest.raises(httpx.TransportError):
        await client.post("sendMessage", json={"chat_id": anna.user_id, "text": "x"})
    assert len(fake.of_bot(anna)) == kept
    await call(client, "sendMessage", chat_id=anna.user_id, text="x")


async def test_in_a_group_a_bot_hears_commands_and_replies_alone(
    fake: FakeBotApi, client: httpx.AsyncClient, anna: User
) -> None:
    await call(client, "getUpdates", offset=fake.state.updates[-1]["update_id"] + 1)
    group = fake.group(-100, "Team", anna)
    fake.say(anna, "hello all", chat=group)
    fake.say(anna, "/jobs", chat=group)
    fake.say(anna, "/jobs@another_bot", chat=group)
    await call(client, "sendMessage", chat_id=group, text="None.")
    fake.say(anna, "why?", chat=group, reply_to=fake.of_bot(group)[-1])
    updates = await call(client, "getUpdates", timeout=0)
    told = [u["message"]["text"] for u in updates if "message" in u]
    assert told == ["/jobs", "why?"]


async def test_a_long_text_leaves_the_phone_in_pieces(fake: FakeBotApi, anna: User) -> None:
    sent = fake.say(anna, "/task " + "x" * 10_000)
    assert [len(message.text) for message in sent] == [4096, 4096, 1814]


async def test_aiograms_own_client_finds_nothing_wrong(fake: FakeBotApi, anna: User) -> None:
    from aiogram import Bot
    from aiogram.client.default import DefaultBotProperties
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.exceptions import TelegramBadRequest
    from aiogram.types import (
        BotCommand,
        BufferedInputFile,
        InlineKeyboardButton,
        InlineKeyboardMarkup,
    )

    from tests.fakes.bot_api import TOKEN

    session = AiohttpSession(api=TelegramAPIServer.from_base(fake.url))
    async with Bot(TOKEN, session, DefaultBotProperties(parse_mode="HTML")) as bot:
        me = await bot.get_me()
        assert me.username == "deskhand_test_bot"
        await bot.set_my_commands([BotCommand(command="train", description="train a model")])
        assert [c.command for c in await bot.get_my_commands()] == ["train"]
        button = InlineKeyboardButton(text="Go", callback_data="go")
        markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
        sent = await bot.send_message(anna.user_id, "<b>Which?</b>", reply_markup=markup)
        tap = fake.tap(anna, fake.of_bot(anna)[-1], "Go")
        [start, press] = await bot.get_updates(timeout=0)
        assert start.message is not None
        assert start.message.text == "/start"
        assert press.callback_query is not None
        await press.callback_query.answer("Yes").as_(bot)
        assert tap.toast == "Yes"
        await sent.edit_text("<i>Done</i>")
        with pytest.raises(TelegramBadRequest, match="not modified"):
            await sent.edit_text("<i>Done</i>")
        file = await bot.send_document(anna.user_id, BufferedInputFile(b"1", "x.csv"))
        assert file.document is not None
        loaded = await bot.download(file.document)
        assert loaded is not None
        assert loaded.read() == b"1"
        await bot.send_photo(anna.user_id, BufferedInputFile(PNG, "x.png"), caption="A plot")
        await bot.send_chat_action(anna.user_id, "typing")
    assert [m.text for m in fake.of_bot(anna)] == ["Done", "", "A plot"]


async def test_webhooks_bring_updates_until_they_are_taken(anna: User) -> None:
    """Over http, as a Bot API server of one's own allows it."""
    from aiohttp import web

    from tests.fakes.bot_api import TOKEN, open_bot_api

    seen: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        seen.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], body["message"]["text"]))
        return web.Response(status=500 if len(seen) == 1 else 200)

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with (
        open_bot_api(own_server=True) as fake,
        httpx.AsyncClient(
            base_url=f"{fake.url}/bot{TOKEN}/", trust_env=False, verify=False
        ) as client,
    ):
        ben = fake.user(8, "Ben")
        hook = f"http://127.0.0.1:{port}/hook"
        await call(client, "setWebhook", url=hook, secret_token="abc")
        fake.say(ben, "one")
        fake.say(ben, "two")
        await fake.until(lambda: not fake.state.updates)
        assert (await call(client, "getWebhookInfo"))["url"] == hook
        assert (await refusal(client, "getUpdates")).startswith("409 Conflict: can't use getUp")
    await runner.cleanup()
    assert seen == [("abc", "one"), ("abc", "one"), ("abc", "two")]
