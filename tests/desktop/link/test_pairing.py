"""The client of a pairing against a real server: asking, waiting, and every way it can end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from desktop.core.joining import RETRY_AFTER_SECONDS_MAX
from desktop.link.pairing import Introduction, ask, wait_for_token
from desktop.store.facts import Asked, Pairing
from desktop.system.device_key import DeviceKey, make_key
from shared.capabilities import Capability
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from shared.pairing import b64, check_words, from_b64
from tests.desktop.link.pairing_desk import (
    JOINED,
    NOTED,
    SALT,
    WAITING,
    Answer,
    Desk,
    a_desk,
    problem,
)

ANNA = Introduction(
    name="anna-pc",
    platform="Test 1",
    app_version="0",
    capabilities=(Capability(kind="data.describe"),),
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with a_desk() as desk:
        yield desk


class Patience:
    """Counts the pauses instead of making them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.troubles: list[str] = []

    def wait(self, asked: Asked, key: DeviceKey) -> tuple[Pairing, str]:
        return wait_for_token(
            asked,
            key,
            environment=Environment(),
            sleep=self.pauses.append,
            on_trouble=lambda error: self.troubles.append(error.code),
        )


def test_a_machine_introduces_itself_with_its_key_and_shows_the_words(desk: Desk) -> None:
    key = make_key()
    asked = ask(desk.base, "BCDF-GHJK", ANNA, key)
    (said,) = desk.introductions
    assert from_b64(said["public_key"], 32) == key.public
    assert (said["code"], said["name"], said["platform"]) == ("BCDF-GHJK", "anna-pc", "Test 1")
    assert said["capabilities"][0]["kind"] == "data.describe"
    assert asked.words == check_words(key.public, SALT)
    assert asked.user_code == ""


def test_without_a_code_the_hub_gives_one_to_send(desk: Desk) -> None:
    desk.to_ask[0] = Answer(202, {**NOTED, "user_code": "WDJB-MJHT", "person_name": ""})
    asked = ask(desk.base, None, ANNA, make_key())
    assert "code" not in desk.introductions[0]
    assert asked.user_code == "WDJB-MJHT"


def test_the_token_comes_when_the_person_says_yes(desk: Desk) -> None:
    key, patience = make_key(), Patience()
    desk.to_token.extendleft([WAITING, WAITING])
    pairing, token = patience.wait(ask(desk.base, "CODE", ANNA, key), key)
    assert token == JOINED["token"]
    assert (pairing.worker_name, pairing.hub_name, pairing.person_name) == (
        "anna-pc", "our hub", "anna",
    )  # fmt: skip
    assert len(desk.token_requests) == 3
    assert patience.troubles == []


def test_a_hub_that_does_not_hold_the_question_is_not_asked_in_a_hot_loop(desk: Desk) -> None:
    key, patience = make_key(), Patience()
    desk.to_token.extendleft([WAITING] * 20)
    patience.wait(ask(desk.base, "CODE", ANNA, key), key)
    assert patience.pauses == [1.0] * 20


def test_a_dropped_line_and_a_hub_that_restarts_are_asked_again_and_told_once(desk: Desk) -> None:
    key, patience = make_key(), Patience()
    cut, down = Answer(200, is_cut=True), Answer(502, b"<html>no upstream</html>")
    desk.to_token.extendleft([down, cut, cut])
    _, token = patience.wait(ask(desk.base, "CODE", ANNA, key), key)
    assert token == JOINED["token"]
    assert patience.troubles == ["hub_unreachable"]
    assert len(patience.pauses) == 3
    assert all(0 < pause < 10 for pause in patience.pauses)


def test_a_hub_that_asks_for_time_gets_it_within_reason(desk: Desk) -> None:
    key, patience = make_key(), Patience()
    busy = problem(429, "too_many_requests")
    desk.to_token.extendleft(
        Answer(429, busy.body, {"Retry-After": after}) for after in ("7", "86400", "soon", "-1")
    )
    patience.wait(ask(desk.base, "CODE", ANNA, key), key)
    assert sorted(patience.pauses)[-2:] == [7.0, RETRY_AFTER_SECONDS_MAX]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "pairing_rejected"),
        (410, "pairing_expired"),
        (404, "pairing_unknown"),
        (401, "pairing_signature_wrong"),
        (409, "worker_key_taken"),
    ],
)
def test_a_decision_against_it_ends_the_waiting(desk: Desk, status: int, code: str) -> None:
    key, patience = make_key(), Patience()
    desk.to_token.appendleft(problem(status, code, "Said in words."))
    with pytest.raises(AppError) as refused:
        patience.wait(ask(desk.base, "CODE", ANNA, key), key)
    assert (refused.value.code, refused.value.message) == (code, "Said in words.")
    assert len(desk.token_requests) == 1


def test_a_hub_that_never_decides_does_not_keep_a_machine_for_ever(desk: Desk) -> None:
    class Late:
        """A clock on which every look is five minutes later."""

        def __init__(self) -> None:
            self.minutes = 0

        def now(self) -> object:
            raise AssertionError("the wall clock may jump")

        def monotonic(self) -> float:
            self.minutes += 5
            return self.minutes * 60.0

    key = make_key()
    desk.to_token[0] = WAITING
    with pytest.raises(Unavailable) as over:
        wait_for_token(
            ask(desk.base, "CODE", ANNA, key),
            key,
            environment=Environment(clock=Late()),  # type: ignore[arg-type]
            sleep=lambda _seconds: None,
        )
    assert over.value.code == "pairing_expired"
    assert len(desk.token_requests) < 5


@pytest.mark.parametrize(
    "change",
    [
        {"pairing_id": "../../jobs"},
        {"pairing_id": "x" * 65},
        {"pairing_id": "a?b=c"},
        {"salt": b64(SALT)[:-1]},
        {"salt": "é" * 22},
        {"salt": 5},
        {"user_code": "wdjb\x1b[2J"},
        {"expires_at": "2026-01-01T00:00:00"},
        {"expires_at": "soon"},
    ],
    ids=str,
)
def test_a_hub_that_notes_a_pairing_oddly_is_no_hub(desk: Desk, change: dict[str, object]) -> None:
    desk.to_ask[0] = Answer(202, {**NOTED, **change})
    with pytest.raises(Unavailable) as odd:
        ask(desk.base, "CODE", ANNA, make_key())
    assert odd.value.code == "hub_odd_answer"


def test_a_hub_that_owes_a_code_and_gives_none_is_no_hub(desk: Desk) -> None:
    with pytest.raises(Unavailable):
        ask(desk.base, None, ANNA, make_key())
