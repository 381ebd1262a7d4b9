"""Requests to come in: what each state answers to a decision, and to a wish for the token."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.core.joining import (
    WORKER_LIFE,
    JoinRequest,
    check_may_have_token,
    decide,
    printable,
    proves_key,
)
from shared.errors import AppError
from shared.ids import PersonId
from shared.pairing import JoinKind, JoinState, check_words, token_request

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
LATER = NOW + WORKER_LIFE
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
REQUEST = JoinRequest(
    join_id="019aa000-0000-7000-8000-00000000000a",
    kind=JoinKind.WORKER,
    person_id=PersonId("p"),
    name="anna-pc",
    public_key=KEY.public_key().public_bytes_raw(),
    salt=bytes(16),
    asked_at=NOW,
    expires_at=LATER,
)

DECISIONS = [
    # state, when, what a decision meets
    (JoinState.WAITING, NOW, ""),
    (JoinState.WAITING, LATER - timedelta(seconds=1), ""),
    (JoinState.WAITING, LATER, "join_expired"),
    (JoinState.EXPIRED, NOW, "join_expired"),
    (JoinState.APPROVED, NOW, "join_decided"),
    (JoinState.REJECTED, NOW, "join_decided"),
    (JoinState.JOINED, NOW, "join_decided"),
]


@pytest.mark.parametrize(("state", "now", "code"), DECISIONS)
@pytest.mark.parametrize("is_approved", [True, False])
@pytest.mark.parametrize("kind", JoinKind)
def test_a_decision_counts_while_somebody_waits(
    state: JoinState, now: datetime, code: str, is_approved: bool, kind: JoinKind
) -> None:
    request = replace(REQUEST, state=state, kind=kind, decided_by="anna on Telegram")
    if code:
        with pytest.raises(AppError) as caught:
            decide(request, is_approved=is_approved, by="ben on the console", now=now)
        assert (caught.value.code, bool(caught.value.hint)) == (code, True)
        return
    decided = decide(request, is_approved=is_approved, by="ben on the console", now=now)
    wanted = JoinState.APPROVED if is_approved else JoinState.REJECTED
    assert (decided.state, decided.decided_by) == (wanted, "ben on the console")


def test_whoever_is_let_in_at_the_last_moment_has_time_to_fetch_the_token() -> None:
    moment = LATER - timedelta(seconds=1)
    decided = decide(REQUEST, is_approved=True, by="anna", now=moment)
    check_may_have_token(decided, moment + WORKER_LIFE - timedelta(seconds=1))
    with pytest.raises(AppError) as caught:
        check_may_have_token(decided, moment + WORKER_LIFE)
    assert caught.value.code == "pairing_expired"


TOKENS = [
    (JoinState.WAITING, NOW, "pairing_waiting"),
    (JoinState.WAITING, LATER, "pairing_expired"),
    (JoinState.APPROVED, NOW, ""),
    (JoinState.APPROVED, LATER, "pairing_expired"),
    (JoinState.REJECTED, NOW, "pairing_rejected"),
    (JoinState.REJECTED, LATER, "pairing_rejected"),
    (JoinState.EXPIRED, NOW, "pairing_expired"),
    (JoinState.JOINED, NOW, "pairing_expired"),
]


@pytest.mark.parametrize(("state", "now", "code"), TOKENS)
def test_a_token_is_for_the_approved(state: JoinState, now: datetime, code: str) -> None:
    request = replace(REQUEST, state=state)
    if not code:
        check_may_have_token(request, now)
        return
    with pytest.raises(AppError) as caught:
        check_may_have_token(request, now)
    assert caught.value.code == code
    assert caught.value.retryable is (code == "pairing_waiting")


def test_only_the_key_itself_signs_and_only_for_this_request() -> None:
    signed = KEY.sign(token_request(REQUEST.join_id, REQUEST.salt))
    assert proves_key(REQUEST, signed)
    forged = [
        Ed25519PrivateKey.generate().sign(token_request(REQUEST.join_id, REQUEST.salt)),
        KEY.sign(token_request(REQUEST.join_id, bytes([1] * 16))),
        KEY.sign(token_request("another", REQUEST.salt)),
        signed[:-1],
        bytes(64),
        b"",
    ]
    assert not any(proves_key(REQUEST, signature) for signature in forged)


def test_the_words_are_those_the_computer_shows() -> None:
    assert REQUEST.words == check_words(REQUEST.public_key, REQUEST.salt)
    assert replace(REQUEST, public_key=b"").words == ""


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Windows 11", "Windows 11"),
        ("  a\n\tb  ", "a b"),
        ("\u202eevil\u2066", "evil"),
        ("\x1b[31mred", "[31mred"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("x" * 100, "x" * 60),
    ],
)
def test_what_could_hide_words_is_taken_out(told: str, shown: str) -> None:
    assert printable(told, 60) == shown
