"""The assistant driven by keys and clicks, from an empty profile to a job, against real hubs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.link import LinkState
from desktop.core.news import News
from desktop.core.policy import parse_policy
from desktop.desk.desk import Desk
from desktop.desk.joining import Step
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.pairing import make
from desktop.gui.windows.pairing.window import PairingWindow
from desktop.store import copied, facts
from desktop.store.database import open_store
from desktop.system.local_hub import HubState
from desktop.system.paths import find_paths
from shared.errors import AppError
from shared.jobs import JobState, Origin
from tests.desktop.gui.hub_beside import ROOT, HubBeside, a_hub_beside
from tests.desktop.gui.loop import on_qt_loop, until
from tests.desktop.link.pairing_desk import WAITING, Answer, a_desk, problem
from tests.desktop.link.pairing_desk import Desk as HubDouble

SECONDS = 20.0
TABLE = "city,sales\nOslo,3\nRome,5\nLima,8\n"


@pytest.fixture(scope="module")
def hub_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBeside]:
    with a_hub_beside(tmp_path_factory.mktemp("beside")) as hub:
        yield hub


@pytest.fixture
def hub(hub_of_all: HubBeside) -> HubBeside:
    hub_of_all.new_person()
    return hub_of_all


@pytest.fixture
def double() -> Iterator[HubDouble]:
    with a_desk() as made:
        yield made


@pytest.fixture(autouse=True)
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's Documents, with a table; and no safe of whoever runs the tests."""
    folder = tmp_path / "Documents"
    folder.mkdir()
    (folder / "sales.csv").write_text(TABLE)
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


@contextlib.asynccontextmanager
async def an_app(qtbot: QtBot, home: Path) -> AsyncIterator[tuple[Desk, Bridge, PairingWindow]]:
    """A desk at work on a profile, and its assistant on the screen."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    paths = find_paths(home)
    paths.make()
    QGuiApplication.clipboard().clear()
    with open_store(paths.store) as database:
        desk = Desk(paths, database)
        desk.pairing = await database.read(facts.pairing)
        try:
            async with asyncio.TaskGroup() as tasks:
                bridge = Bridge(desk, tasks)
                living = tasks.create_task(desk.run())
                window = make(bridge, Style(app, "light"))
                qtbot.addWidget(window)
                window.show()
                try:
                    yield desk, bridge, window
                finally:
                    window.close()
                    desk.joining.cancel()
                    living.cancel()
        finally:
            desk.close()


def press(widget: QWidget) -> None:
    assert widget.isVisible()
    assert widget.isEnabled()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


async def shown(window: PairingWindow, page: QWidget) -> None:
    await until(lambda: window.pages.currentWidget() is page, SECONDS)


async def asks(window: PairingWindow) -> QMessageBox:
    await until(lambda: bool(window.findChildren(QMessageBox)), SECONDS)
    return window.findChildren(QMessageBox)[-1]


def answer(box: QMessageBox, text: str) -> None:
    [pressed] = [b for b in box.findChildren(QPushButton) if b.text() == text]
    press(pressed)


def type_code(window: PairingWindow, code: str, base: str) -> None:
    """As a person at a keyboard: code, Return, address, Return."""
    QTest.keyClicks(window.how.code, code)
    QTest.keyClick(window.how.code, Qt.Key.Key_Return)
    QTest.keyClicks(window.how.hub, base)
    QTest.keyClick(window.how.hub, Qt.Key.Key_Return)


def is_online(desk: Desk) -> bool:
    return desk.link is not None and desk.link.state is LinkState.ONLINE


async def describe(desk: Desk, file: str) -> copied.Job:
    """Ask for a table to be described; return the job when it has ended."""
    job_id = await desk.requests.make("data.describe", {"file": file})
    async with asyncio.timeout(SECONDS):
        while True:
            job = await desk.look(lambda connection: copied.job(connection, job_id))
            if job is not None and job.row.state.is_terminal:
                return job
            await asyncio.sleep(0.05)


@on_qt_loop
async def test_from_an_empty_profile_to_a_job_by_keys_alone(
    qtbot: QtBot, tmp_path: Path, hub: HubBeside, documents: Path
) -> None:
    code = await asyncio.to_thread(hub.code)
    async with an_app(qtbot, tmp_path / "pc") as (desk, _, window):
        began = time.monotonic()
        type_code(window, code.lower(), hub.base)
        await shown(window, window.words)
        await until(window.words.words.isVisible, SECONDS)
        told = window.words.words.text()
        assert told == await asyncio.to_thread(lambda: hub.decide(is_approved=True))
        await shown(window, window.rules)
        await until(window.rules.finish.isEnabled, SECONDS)
        folders = window.rules.folders
        assert not folders.ticked, "nothing is allowed unasked"
        folders.setCurrentRow(0)
        QTest.keyClick(folders, Qt.Key.Key_Space)
        assert list(folders.ticked) == [str(documents)]
        QTest.keyClick(window.rules.finish, Qt.Key.Key_Space)
        await shown(window, window.end)
        await until(lambda: is_online(desk), SECONDS)
        assert time.monotonic() - began < 20, "a person needs the rest of the minute"
        job = await describe(desk, "sales.csv")
        assert job.row.state is JobState.SUCCEEDED, job
        policy = parse_policy(desk.paths.policy.read_text())
        assert policy.folders == (str(documents),)
        assert policy.allows("ml.train", Origin.CHAT)


@on_qt_loop
async def test_just_this_computer_from_one_click_to_a_job(
    qtbot: QtBot, tmp_path: Path, documents: Path
) -> None:
    async with an_app(qtbot, tmp_path / "pc") as (desk, _, window):
        press(window.how.own)
        await shown(window, window.words)
        await shown(window, window.rules)
        await until(window.rules.finish.isEnabled, SECONDS)
        window.rules.folders.add(str(documents))
        press(window.rules.finish)
        await shown(window, window.end)
        assert window.end.telegram.isVisible()
        await until(lambda: is_online(desk), SECONDS)
        assert (await describe(desk, "sales.csv")).row.state is JobState.SUCCEEDED
        assert desk.local_hub.state is HubState.RUNNING
        press(window.end.to_rules)
        await shown(window, window.rules)


@on_qt_loop
async def test_a_code_is_shown_here_and_sent_in_the_chat(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    noted = double.to_ask[0].body
    assert isinstance(noted, dict)
    double.to_ask[0] = Answer(202, {**noted, "user_code": "WDJB-MJHT"})
    double.to_token[0] = WAITING
    async with an_app(qtbot, tmp_path) as (_, _, window):
        press(window.how.show_code)
        assert not window.how.code.isVisible()
        QTest.keyClicks(window.how.hub, double.base)
        press(window.how.go_on)
        await until(window.words.command.isVisible, SECONDS)
        assert window.words.command.text() == "/pair WDJB-MJHT"
        press(window.words.copy)
        assert QGuiApplication.clipboard().text() == "/pair WDJB-MJHT"
        assert "code" not in double.introductions[0]


@on_qt_loop
async def test_a_no_in_the_chat_is_told_and_another_code_can_be_typed(
    qtbot: QtBot, tmp_path: Path, hub: HubBeside
) -> None:
    first, second = await asyncio.to_thread(hub.code), ""
    async with an_app(qtbot, tmp_path) as (desk, _, window):
        type_code(window, first, hub.base)
        await until(window.words.words.isVisible, SECONDS)
        await asyncio.to_thread(lambda: hub.decide(is_approved=False))
        await shown(window, window.trouble)
        assert desk.pairing is None
        press(window.trouble.retry)
        await shown(window, window.how)
        assert window.how.hub.text() == hub.base, "the address need not be typed again"
        assert window.how.code.hasSelectedText()
        second = await asyncio.to_thread(lambda: hub.code(is_approved=True))
        QTest.keyClicks(window.how.code, second)
        press(window.how.go_on)
        await shown(window, window.rules)


@on_qt_loop
async def test_a_wrong_code_is_told_in_the_hubs_words(
    qtbot: QtBot, tmp_path: Path, hub: HubBeside
) -> None:
    async with an_app(qtbot, tmp_path) as (_, _, window):
        type_code(window, "BCDF-BCDF", hub.base)
        await shown(window, window.trouble)
        assert "wrong, used or expired" in window.trouble.reason.text()
        assert window.trouble.retry.text() == "Enter another code"
        assert window.trouble.hint.text()


@on_qt_loop
async def test_a_code_that_expires_while_waiting_is_told(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    double.to_token[0] = problem(410, "pairing_expired", "Nobody approved this computer in time.")
    async with an_app(qtbot, tmp_path) as (_, _, window):
        type_code(window, "BCDF-GHJK", double.base)
        await shown(window, window.trouble)
        assert "in time" in window.trouble.reason.text()


@on_qt_loop
async def test_a_hub_that_is_not_there_can_be_tried_again(qtbot: QtBot, tmp_path: Path) -> None:
    async with an_app(qtbot, tmp_path) as (_, _, window):
        type_code(window, "BCDF-GHJK", "http://127.0.0.1:9")
        await shown(window, window.trouble)
        assert "cannot be reached" in window.trouble.reason.text()
        assert window.trouble.retry.text() == "Try again"
        press(window.trouble.retry)
        await shown(window, window.trouble)
        press(window.trouble.to_start)
        await shown(window, window.how)
        assert window.how.code.text() == "BCDF-GHJK"


@pytest.mark.parametrize(
    ("code", "address", "words"),
    [
        ("BCDF", "hub.example.org", "eight letters"),
        ("BCDF-GHJK", "http://hub.example.org", "without encryption"),
        ("deskhand://pair?hub=http://evil.example&code=BCDF-GHJK", "", "without encryption"),
    ],
)
@on_qt_loop
async def test_what_cannot_work_is_said_beside_its_field(
    qtbot: QtBot, tmp_path: Path, code: str, address: str, words: str
) -> None:
    async with an_app(qtbot, tmp_path) as (desk, _, window):
        window.how.code.setText(code)
        window.how.hub.setText(address)
        press(window.how.go_on)
        assert words in window.how.wrong.text()
        assert window.how.wrong.isVisible()
        assert not desk.joining.is_under_way


@on_qt_loop
async def test_a_link_from_elsewhere_shows_its_host_and_sends_nothing_before_a_yes(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    double.to_token[0] = WAITING
    link = f"deskhand://pair?hub={double.base}&code=BCDF-GHJK"
    async with an_app(qtbot, tmp_path) as (desk, _, window):
        window.show_item(link)
        await shown(window, window.link)
        assert window.link.host.text() == double.base.removeprefix("http://")
        assert window.focusWidget() is window.link.no, "Return says no"
        QTest.keyClick(window, Qt.Key.Key_Return)
        QTest.keyClick(window.link.no, Qt.Key.Key_Space)
        await shown(window, window.how)
        assert double.asked == []
        assert not desk.joining.is_under_way
        window.show_item(link)
        await shown(window, window.link)
        press(window.link.yes)
        await until(window.words.words.isVisible, SECONDS)
        assert len(double.introductions) == 1


@pytest.mark.parametrize(
    "link",
    [
        "deskhand://pair?hub=http://hub.example.org&code=BCDF-GHJK",
        "deskhand://pair?hub=https://a@b.example&code=BCDF-GHJK",
        "deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK&yes=1",
        "deskhand://run?rm=1",
    ],
)
@on_qt_loop
async def test_a_link_that_is_no_pairing_is_refused_with_a_reason(
    qtbot: QtBot, tmp_path: Path, link: str
) -> None:
    async with an_app(qtbot, tmp_path) as (desk, _, window):
        window.show_item(link)
        assert window.banner.isVisible()
        assert window.pages.currentWidget() is window.how
        assert not desk.joining.is_under_way


@on_qt_loop
async def test_the_clipboard_is_offered_and_never_used_unasked(
    qtbot: QtBot, tmp_path: Path
) -> None:
    async with an_app(qtbot, tmp_path) as (_, _, window):
        clipboard = QGuiApplication.clipboard()
        clipboard.setText("swordfish-is-my-password")
        assert not window.how.paste.isVisible()
        clipboard.setText("PASSWORD")
        assert not window.how.paste.isVisible(), "eight letters may be a secret"
        clipboard.setText("deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK")
        await until(window.how.paste.isVisible)
        assert "hub.example.org" in window.how.paste.text()
        assert window.how.code.text() == ""
        press(window.how.paste)
        assert window.how.code.text() == clipboard.text()
        assert "hub.example.org" in window.how.leads_to.text()
        assert not window.how.hub.isVisible()


@on_qt_loop
async def test_a_window_that_is_closed_loses_nothing_and_comes_back_for_the_rules(
    qtbot: QtBot, tmp_path: Path, hub: HubBeside
) -> None:
    code = await asyncio.to_thread(hub.code)
    async with an_app(qtbot, tmp_path) as (desk, bridge, window):
        opened: list[str] = []
        bridge.opened.connect(lambda name, _item: opened.append(name))
        type_code(window, code, hub.base)
        await until(window.words.words.isVisible, SECONDS)
        window.close()
        assert desk.joining.stand.step is Step.WAITING
        window.show()
        assert window.words.words.isVisible()
        window.close()
        await asyncio.to_thread(lambda: hub.decide(is_approved=True))
        await until(lambda: opened == ["pairing"], SECONDS)
        window.show()
        assert window.pages.currentWidget() is window.rules
        window.close()
        await until(lambda: is_online(desk), SECONDS)
        rung: list[object] = []
        bridge.news.connect(rung.append)
        desk.ring(News.PAIRING)
        await until(lambda: bool(rung), SECONDS)
        assert opened == ["pairing"], "it comes up once, not at every change"


@on_qt_loop
async def test_it_goes_on_after_the_program_was_started_again(
    qtbot: QtBot, tmp_path: Path, hub: HubBeside
) -> None:
    code = await asyncio.to_thread(hub.code)
    async with an_app(qtbot, tmp_path / "pc") as (_, _, window):
        type_code(window, code, hub.base)
        await until(window.words.words.isVisible, SECONDS)
        words = window.words.words.text()
    async with an_app(qtbot, tmp_path / "pc") as (_, _, window):
        await until(window.words.words.isVisible, SECONDS)
        assert window.words.words.text() == words
        await asyncio.to_thread(lambda: hub.decide(is_approved=True))
        await shown(window, window.rules)


@on_qt_loop
async def test_escape_asks_before_the_wait_is_given_up(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    double.to_token[0] = WAITING
    async with an_app(qtbot, tmp_path) as (desk, _, window):
        type_code(window, "BCDF-GHJK", double.base)
        await until(window.words.words.isVisible, SECONDS)
        QTest.keyClick(window, Qt.Key.Key_Escape)
        box = await asks(window)
        QTest.keyClick(box, Qt.Key.Key_Escape)
        await until(lambda: not window.findChildren(QMessageBox), SECONDS)
        assert desk.joining.stand.step is Step.WAITING
        QTest.keyClick(window, Qt.Key.Key_Escape)
        answer(await asks(window), "Stop")
        await shown(window, window.how)
        await until(lambda: not desk.joining.is_under_way, SECONDS)
        assert window.how.code.text() == "BCDF-GHJK"
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isVisible()


@on_qt_loop
async def test_a_hub_that_goes_away_while_waiting_is_told_and_clears_by_itself(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    double.to_token.clear()
    double.to_token.extend([Answer(200, is_cut=True), WAITING])
    async with an_app(qtbot, tmp_path) as (_, _, window):
        type_code(window, "BCDF-GHJK", double.base)
        await until(window.words.trouble.isVisible, SECONDS)
        assert "tried again by itself" in window.words.trouble.text()
        await until(lambda: not window.words.trouble.isVisible(), SECONDS)


@on_qt_loop
async def test_a_folder_can_be_dropped_and_a_file_is_not_taken_for_its_folder(
    qtbot: QtBot, tmp_path: Path, documents: Path
) -> None:
    async with an_app(qtbot, tmp_path / "pc") as (_, _, window):
        folders = window.rules.folders
        for path, expected in ((documents / "sales.csv", ()), (documents, (str(documents),))):
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(path))])
            folders.dropEvent(
                QDropEvent(
                    QPointF(QPoint(5, 5)),
                    Qt.DropAction.CopyAction,
                    data,
                    Qt.MouseButton.LeftButton,
                    Qt.KeyboardModifier.NoModifier,
                )
            )
            assert folders.ticked == expected


@on_qt_loop
async def test_kinds_that_are_not_ticked_are_not_allowed_to_chats(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    from desktop.core.families import Family

    async with an_app(qtbot, tmp_path) as (desk, _, window):
        type_code(window, "BCDF-GHJK", double.base)
        await shown(window, window.rules)
        await until(window.rules.finish.isEnabled, SECONDS)
        press(window.rules.families[Family.ML])
        press(window.rules.finish)
        await shown(window, window.end)
        policy = parse_policy(desk.paths.policy.read_text())
        assert not policy.allows("ml.train", Origin.CHAT)
        assert policy.allows("data.describe", Origin.CHAT)
        assert policy.allows("ml.train", Origin.LOCAL)


@on_qt_loop
async def test_leaving_asks_first_and_then_the_assistant_begins_anew(
    qtbot: QtBot, tmp_path: Path, hub: HubBeside
) -> None:
    code = await asyncio.to_thread(lambda: hub.code(is_approved=True))
    async with an_app(qtbot, tmp_path) as (desk, _, window):
        type_code(window, code, hub.base)
        await shown(window, window.rules)
        await until(window.rules.finish.isEnabled, SECONDS)
        press(window.rules.finish)
        await shown(window, window.end)
        await until(lambda: is_online(desk), SECONDS)
        window.close()
        window.show()
        await shown(window, window.how)
        press(window.how.leave)
        QTest.keyClick(await asks(window), Qt.Key.Key_Return)
        await until(lambda: not window.findChildren(QMessageBox), SECONDS)
        assert desk.pairing is not None, "Return stays"
        press(window.how.leave)
        answer(await asks(window), "Leave")
        await until(lambda: desk.pairing is None, SECONDS)
        await until(lambda: not window.how.leave.isVisible(), SECONDS)
        assert not desk.paths.token.exists()


@on_qt_loop
async def test_without_the_hubs_program_it_says_how_to_get_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "deskhand"))
    monkeypatch.setenv("PATH", str(tmp_path))
    async with an_app(qtbot, tmp_path / "pc") as (_, _, window):
        press(window.how.own)
        await shown(window, window.trouble)
        assert "deskhand[hub]" in window.trouble.hint.text()
        press(window.trouble.to_start)
        await shown(window, window.how)


@on_qt_loop
async def test_a_broken_policy_is_told_and_not_written_over(
    qtbot: QtBot, tmp_path: Path, double: HubDouble
) -> None:
    home = tmp_path / "pc"
    home.mkdir()
    (home / "policy.toml").write_text("foldrs = []\n")
    errors: list[AppError] = []
    async with an_app(qtbot, home) as (_, bridge, window):
        bridge.failed.connect(errors.append)
        type_code(window, "BCDF-GHJK", double.base)
        await shown(window, window.trouble)
        assert "foldrs" in window.trouble.reason.text()
    assert (home / "policy.toml").read_text() == "foldrs = []\n"
    assert errors == []
