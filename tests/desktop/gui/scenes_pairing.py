"""Every step of the assistant, and every way it can go wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.core.policy import Policy
from desktop.desk.join_steps import Wish
from desktop.desk.joining import Stand, Step
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from desktop.gui.windows.pairing import make
from desktop.gui.windows.pairing.window import PairingWindow
from desktop.store.facts import Asked
from desktop.system.login_start import State
from shared.errors import AppError, NotFound, Unavailable
from tests.desktop.gui.loop import until
from tests.desktop.gui.world import PAIRING, PaperDesk

LINK = "deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK"
WISH = Wish(base="https://hub.example.org", code="BCDF-GHJK")
UNREACHABLE = Unavailable(
    "hub_unreachable",
    "The hub at hub.example.org cannot be reached (nothing answers there).",
    "Check the address, and that the hub runs.",
    retryable=True,
)


def _asked(desk: PaperDesk, user_code: str = "") -> Asked:
    return Asked(
        hub_url=WISH.base,
        code="" if user_code else "BCDF-GHJK",
        name="anna-pc",
        public_key="",
        pairing_id="1",
        salt="",
        words="amber falcon",
        user_code=user_code,
        expires_at=desk.environment.now() + timedelta(minutes=9, seconds=30),
    )


def _window(desk: PaperDesk, bridge: Bridge, style: Style, stand: Stand) -> PairingWindow:
    desk.pairing = None
    desk.joining.stand = stand
    QGuiApplication.clipboard().clear()
    return make(bridge, style)


def _at(stand: Stand) -> Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]:
    async def scene(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
        return _window(desk, bridge, style, stand)

    return scene


def _failed(
    code: str, message: str, hint: str, *, wish: Wish | None = WISH, is_local: bool = False
) -> Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]:
    return _at(Stand(wish=wish, error=AppError(code, message, hint), is_local=is_local))


async def _clipboard(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    QGuiApplication.clipboard().setText(LINK)
    return window


async def _code_typed(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    window.how.code.setText("BCDF-GHJ")
    window.how.hub.setText("hub.example.org")
    window.how.go_on.click()
    return window


async def _link_typed(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    window.how.code.setText(LINK)
    return window


async def _show_code(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    window.how.show_code.click()
    return window


async def _paired(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    desk.pairing = PAIRING
    window._refresh()
    return window


async def _link(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    window.show_item(LINK)
    return window


async def _hostile_link(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    desk.pairing = PAIRING
    host = "login.example.org.a-very-long-name-that-goes-on-and-on.for-ever.evil.example"
    window.show_item(f"deskhand://pair?hub=https://{host}:8443&code=BCDF-GHJK")
    return window


async def _words(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    stand = Stand(step=Step.WAITING, wish=WISH, asked=_asked(desk))
    return _window(desk, bridge, style, stand)


async def _trouble(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    stand = Stand(step=Step.WAITING, wish=WISH, asked=_asked(desk), trouble=UNREACHABLE)
    return _window(desk, bridge, style, stand)


async def _send_code(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    wish = replace(WISH, code=None)
    stand = Stand(step=Step.WAITING, wish=wish, asked=_asked(desk, "WDJB-MJHT"))
    return _window(desk, bridge, style, stand)


async def _rules(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand(step=Step.RULES))
    desk.pairing = PAIRING
    window._refresh()
    await until(window.rules.finish.isEnabled)
    window.rules.folders.fill((), ("/home/anna/Documents",))
    window.rules.show_login(State(is_on=False, place=""))
    return window


async def _rules_full(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    folders = tuple(f"/home/anna/{'a-long-name/' * n}sales" for n in range(1, 12, 2))
    await desk.change_policy(Policy(folders=folders))
    window = _window(desk, bridge, style, Stand(step=Step.RULES))
    desk.pairing = PAIRING
    window._refresh()
    await until(window.rules.finish.isEnabled)
    return window


async def _done(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    desk.pairing = PAIRING
    window._finished()
    return window


async def _done_local(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = _window(desk, bridge, style, Stand())
    desk.local_hub.port = 8765
    desk.pairing = PAIRING
    window._finished()
    return window


async def _telegram_link(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await _done_local(desk, bridge, style)
    assert isinstance(window, PairingWindow)
    window.end.telegram._show_link("https://t.me/annas_desk_bot?start=BCDF-GHJK")
    return window


async def _telegram_wrong(desk: PaperDesk, bridge: Bridge, style: Style) -> QWidget:
    window = await _done_local(desk, bridge, style)
    assert isinstance(window, PairingWindow)
    window.end.telegram._show_error(
        NotFound("telegram_token", "Telegram does not know this token.", "Ask @BotFather for it.")
    )
    return window


SCENES = {
    "how": _at(Stand()),
    "how_clipboard": _clipboard,
    "how_wrong": _code_typed,
    "how_link": _link_typed,
    "how_show_code": _show_code,
    "how_paired": _paired,
    "link": _link,
    "link_hostile": _hostile_link,
    "asking": _at(Stand(step=Step.ASKING, wish=WISH)),
    "words": _words,
    "words_trouble": _trouble,
    "words_send_code": _send_code,
    "starting": _at(Stand(step=Step.STARTING, is_local=True)),
    "failed_code": _failed(
        "pairing_code_wrong",
        "That code is wrong, used or expired.",
        "Ask the bot for a new one with /connect.",
    ),
    "failed_unreachable": _failed("hub_unreachable", UNREACHABLE.message, UNREACHABLE.hint),
    "failed_rejected": _failed(
        "pairing_rejected", "anna-pc was turned away by Anna on Telegram.", "Ask who did it."
    ),
    "failed_expired": _failed(
        "pairing_expired",
        "Nobody approved this computer in time.",
        "Ask for a new code with /connect, and pair again.",
    ),
    "failed_hub_program": _failed(
        "hub_program_missing",
        "The hub's program is not on this computer, or not all of it.",
        'Install it with: pipx install "deskhand[hub]". Or connect to a hub that runs elsewhere.',
        wish=None,
        is_local=True,
    ),
    "rules": _rules,
    "rules_full": _rules_full,
    "done": _done,
    "done_local": _done_local,
    "done_telegram": _telegram_link,
    "done_telegram_wrong": _telegram_wrong,
}
