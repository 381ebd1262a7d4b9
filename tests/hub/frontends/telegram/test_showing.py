"""Views become messages that Telegram takes: words, buttons, pictures, files, edits."""

from __future__ import annotations

import json

import pytest

from hub.core.view import Button, Progress, Sheet, View, ViewFile, degraded
from hub.frontends.carried import safe_name
from hub.ports import MessageRef
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId
from tests.fakes.test_bot_api import PNG
from tests.hub.frontends.telegram.bench import HOME, Bench

CSV = ViewFile(name="new.csv", sha256="aa", size_bytes=8, media_type="text/csv")
PLOT = ViewFile(name="roc.png", sha256="bb", size_bytes=len(PNG), media_type="image/png")


@pytest.fixture
async def bench(bench: Bench) -> Bench:
    await bench.start()
    bench.anna()
    bench.shelf.put("aa", b"a,b\n1,2\n")
    bench.shelf.put("bb", PNG)
    return bench


async def test_all_that_a_view_holds_is_text_and_never_markup(bench: Bench) -> None:
    nasty = "<b>a</b> & <a href='x'>b</a> &lt; <script>.csv"
    await bench.show(View(text=nasty, buttons=(Button("<i>&", says="/jobs"),)))
    [shown] = bench.fake.of_bot(7001)
    assert shown.text == nasty
    assert not shown.entities
    assert shown.labels == ["<i>&"]


async def test_links_open_and_copies_copy_where_telegram_can(bench: Bench) -> None:
    view = View(
        text="Connect",
        buttons=(
            Button("Download page", url="https://hub.example/download"),
            Button("This hub", url="http://localhost:8765/download"),
            Button("Copy the code", copies="BCDF-GHJK"),
            Button("Copy a novel", copies="x" * 257),
        ),
    )
    await bench.show(view)
    [shown] = bench.fake.of_bot(7001)
    assert shown.labels == ["Download page", "Copy the code"]
    assert shown.text == "Connect\nThis hub: http://localhost:8765/download"


async def test_no_page_is_looked_up_because_a_message_names_it(bench: Bench) -> None:
    ref = await bench.frontend.render(HOME, View(text="see https://a.example"), None)
    await bench.frontend.render(HOME, View(text="see https://b.example"), ref)
    shown = [c for c in bench.fake.calls if c.method in ("sendMessage", "editMessageText")]
    told = [json.loads(call.parameters["link_preview_options"]) for call in shown]
    assert told == [{"is_disabled": True}] * 2


async def test_an_address_that_stands_in_the_text_is_not_told_twice(bench: Bench) -> None:
    page = "http://localhost:8765/download"
    await bench.show(View(text=f"Open {page}", buttons=(Button("Open", url=page),)))
    assert bench.fake.of_bot(7001)[-1].text == f"Open {page}"


async def test_a_status_is_edited_in_place_and_a_last_word_makes_a_sound(bench: Bench) -> None:
    first = await bench.frontend.render(HOME, View(text="Training …", subject="job:1"), None)
    told = View(
        text="Training on anna-pc ▓▓░░░ 2 of 5 models, 18 s left",
        subject="job:1",
        progress=Progress(stage="models", done=2, total=5),
    )
    again = await bench.frontend.render(HOME, told, first)
    same = await bench.frontend.render(HOME, told, again)
    await bench.show(View(text="Churn model ready: AUC 0.85.", subject="job:1", final=True))
    status, last = bench.fake.of_bot(7001)
    assert first == again == same == MessageRef(str(status.message_id))
    assert status.text == "Training on anna-pc\n▓▓░░░ 2 of 5 models, 18 s left"
    assert (status.is_silent, last.is_silent) == (True, False)
    assert last.entities == [{"type": "bold", "offset": 0, "length": len("Churn model ready")}]


async def test_a_message_that_is_gone_is_sent_anew(bench: Bench) -> None:
    ref = await bench.frontend.render(HOME, View(text="one"), MessageRef("424242"))
    assert bench.fake.of_bot(7001)[-1].message_id == int(ref.value)


async def test_a_code_to_scan_is_a_picture_whose_words_can_be_edited(bench: Bench) -> None:
    ref = await bench.frontend.render(
        HOME,
        View(text="Your code: BCDF-GHJK", qr="deskhand://pair?c=BCDFGHJK", subject="pairing:1"),
        None,
    )
    [shown] = bench.fake.of_bot(7001)
    assert shown.photo is not None
    assert shown.text == "Your code: BCDF-GHJK"
    assert await bench.frontend.render(HOME, View(text="anna-pc is paired."), ref) == ref
    assert shown.text == "anna-pc is paired."


async def test_one_file_carries_its_words_and_is_one_message(bench: Bench) -> None:
    await bench.show(View(text="Here it is.", files=(CSV,), buttons=(Button("x", says="/jobs"),)))
    [shown] = bench.fake.of_bot(7001)
    assert shown.document is not None
    assert (shown.document.name, shown.document.content) == ("new.csv", b"a,b\n1,2\n")
    assert (shown.text, shown.labels) == ("Here it is.", ["x"])


async def test_several_files_follow_their_words_without_a_sound(bench: Bench) -> None:
    await bench.show(View(text="Plots of churn", files=(PLOT, CSV)))
    words, plot, table = bench.fake.of_bot(7001)
    assert words.text == "Plots of churn"
    assert plot.photo is not None
    assert table.document is not None
    assert (words.is_silent, plot.is_silent, table.is_silent) == (False, True, True)


async def test_files_that_are_gone_or_too_large_are_told_in_words(bench: Bench) -> None:
    gone = ViewFile(name="old.csv", sha256="cc", size_bytes=5, media_type="text/csv")
    huge = ViewFile(name="big.bin", sha256="aa", size_bytes=73_000_000, media_type="x/y")
    empty = ViewFile(name="none.csv", sha256="aa", size_bytes=0, media_type="text/csv")
    await bench.show(View(text="Files:", files=(gone, huge, empty)))
    [shown] = bench.fake.of_bot(7001)
    assert "old.csv is no longer here. Ask for it again." in shown.text
    assert "none.csv is empty, and Telegram takes no empty files." in shown.text
    assert "big.bin (73 MB) is too large for Telegram, which takes 50 MB." in shown.text


async def test_nothing_is_sent_before_its_files_are_here(bench: Bench) -> None:
    bench.shelf.is_late = True
    with pytest.raises(Unavailable):
        await bench.show(View(text="Files:", files=(CSV, PLOT), key="k"))
    assert not bench.fake.of_bot(7001)


async def test_a_sending_that_broke_off_goes_on_where_it_stopped(bench: Bench) -> None:
    from tests.fakes.bot_api import Drop

    bench.fake.plan(Drop.BEFORE, method="sendDocument")
    view = View(text="Files:", files=(PLOT, CSV), key="k")
    with pytest.raises(Unavailable) as refused:
        await bench.show(view)
    assert refused.value.retryable
    await bench.show(view)
    assert [m.text for m in bench.fake.of_bot(7001)] == ["Files:", "", ""]


async def test_a_picture_that_telegram_cannot_show_goes_as_a_document(bench: Bench) -> None:
    bench.shelf.put("dd", b"no picture at all")
    odd = ViewFile(name="odd.png", sha256="dd", size_bytes=17, media_type="image/png")
    await bench.show(View(text="Plot", files=(odd,)))
    assert bench.fake.of_bot(7001)[-1].document is not None


@pytest.mark.parametrize(
    ("code", "description", "expected", "retryable"),
    [
        (403, "Forbidden: bot was blocked by the user", "chat_blocked", True),
        (400, "Bad Request: chat not found", "chat_gone", False),
        (400, "Bad Request: something new", "telegram_refused", False),
        (500, "Internal Server Error", "telegram_unreachable", True),
        (502, "Bad Gateway", "telegram_unreachable", True),
        (413, "Request Entity Too Large", "telegram_refused", False),
        (401, "Unauthorized", "telegram_token_wrong", True),
    ],
)
async def test_refusals_say_whether_trying_again_may_help(
    bench: Bench, code: int, description: str, expected: str, retryable: bool
) -> None:
    from tests.fakes.bot_api_schema import Refused

    bench.fake.plan(Refused(code, description), method="sendMessage")
    with pytest.raises(AppError) as refused:
        await bench.show(View(text="hello"))
    assert (refused.value.code, refused.value.retryable) == (expected, retryable)


async def test_a_wait_that_telegram_names_is_kept(bench: Bench) -> None:
    from tests.fakes.bot_api_schema import Refused

    bench.fake.plan(Refused(429, "Too Many Requests", retry_after=17), method="sendMessage")
    with pytest.raises(Unavailable) as refused:
        await bench.show(View(text="hello"))
    assert refused.value.retry_after_seconds == 17


async def test_one_blocker_does_not_trouble_the_frontend(bench: Bench) -> None:
    bench.fake.block(bench.anna())
    with pytest.raises(AppError):
        await bench.show(View(text="hello"))
    assert bench.frontend.status().state == "ok"


async def test_what_is_no_chat_of_telegrams_is_refused(bench: Bench) -> None:
    with pytest.raises(AppError) as refused:
        await bench.show(View(text="x"), ConversationId("telegram:nobody"))
    assert refused.value.code == "chat_gone"


async def test_a_text_that_is_too_long_comes_whole_as_a_file(bench: Bench) -> None:
    whole = "\n".join(f"note {number}: ± {'x' * 20}" for number in range(500))
    view = degraded(View(text=whole), bench.frontend.capabilities)
    await bench.show(view)
    cut, file = bench.fake.of_bot(7001)
    assert cut.text is not None
    assert cut.text.startswith("note 0: ±")
    assert len(cut.text) <= 4096
    assert file.document is not None
    assert file.is_silent


async def test_signs_that_count_twice_make_a_text_too_long_sooner(bench: Bench) -> None:
    await bench.show(degraded(View(text="😀" * 2100), bench.frontend.capabilities))
    cut, file = bench.fake.of_bot(7001)
    assert cut.text.endswith("😀 …")
    assert file.document is not None
    assert file.document.content.decode() == "😀" * 2100


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\\b:c.csv", "a_b_c.csv"),
        ("cod\u202ecsv.exe", "cod\ufffdcsv.exe"),
        ("x\ny.csv", "x y.csv"),
        ("...", "file"),
        ("n" * 300 + ".parquet", "n" * 112 + ".parquet"),
    ],
)
def test_names_of_files_are_harmless_and_keep_their_ending(name: str, safe: str) -> None:
    assert safe_name(name) == safe


async def test_a_lost_answer_may_double_a_message_and_never_an_edit(bench: Bench) -> None:
    from tests.fakes.bot_api import Drop

    view = View(text="once or twice", subject="job:1")
    bench.fake.plan(Drop.AFTER, method="sendMessage")
    with pytest.raises(Unavailable):
        await bench.frontend.render(HOME, view, None)
    ref = await bench.frontend.render(HOME, view, None)
    bench.fake.plan(Drop.AFTER, method="editMessageText")
    with pytest.raises(Unavailable):
        await bench.frontend.render(HOME, View(text="edited"), ref)
    assert await bench.frontend.render(HOME, View(text="edited"), ref) == ref
    assert [message.text for message in bench.fake.of_bot(7001)] == ["once or twice", "edited"]


async def test_a_short_sheet_is_a_block_in_the_message(bench: Bench) -> None:
    sheet = Sheet(name="k7q2.diff", text="-a < b\n+a <b>& b</b>\n", language="diff")
    await bench.show(View(text="1 file, +1 −1", sheet=sheet))
    [shown] = bench.fake.of_bot(7001)
    assert shown.text == "1 file, +1 −1\n-a < b\n+a <b>& b</b>"
    assert "pre" in [entity["type"] for entity in shown.entities]


async def test_a_long_sheet_is_a_file_beside_the_message(bench: Bench) -> None:
    sheet = Sheet(name="k7q2.diff", text="+line\n" * 100, language="diff")
    await bench.show(View(text="1 file, +100 −0", sheet=sheet))
    told, file = bench.fake.of_bot(7001)
    assert told.text == "1 file, +100 −0"
    assert file.document is not None
    assert file.document.name == "k7q2.diff"
    assert file.document.content == b"+line\n" * 100
