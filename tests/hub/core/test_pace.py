"""Token buckets: never faster than agreed, in any window; a rest is a rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.pace import BUCKETS_MAX, Bucket, Paces, cost_of, is_group
from hub.core.view import FrontendCapabilities, Pace, View, ViewFile
from shared.ids import ConversationId

HOME = ConversationId("stage:1")
ELSEWHERE = ConversationId("stage:2")
GROUP = ConversationId("stage:group:1")
LATER = 10_000.0

paces = st.builds(Pace, burst=st.integers(1, 40), per_second=st.floats(0.05, 50, allow_nan=False))
# How long after the one before each message wants to go: crowds and pauses.
gaps = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.3, 1.0, 7.0, 100.0]), max_size=120)


@given(pace=paces, gaps=gaps)
def test_no_window_ever_has_more_than_its_burst_and_its_rate(pace: Pace, gaps: list[float]) -> None:
    bucket, now, shown = Bucket(pace, tokens=pace.burst, now=0.0), 0.0, []
    for gap in gaps:
        now += gap
        now += bucket.wait(now)
        bucket.take(now)
        shown.append(now)
    for first, begin in enumerate(shown):
        for last in range(first, len(shown)):
            most = pace.burst + (shown[last] - begin) * pace.per_second
            assert last - first + 1 <= most + 1e-3


@given(pace=paces, gaps=gaps)
def test_whoever_waits_as_long_as_told_may_go(pace: Pace, gaps: list[float]) -> None:
    bucket, now = Bucket(pace, tokens=0, now=0.0), 0.0
    for gap in gaps:
        now += gap
        now += bucket.wait(now)
        assert bucket.wait(now) == pytest.approx(0, abs=1e-6)
        bucket.take(now)


def test_after_a_start_the_buckets_are_empty_and_a_new_chat_later_is_full() -> None:
    three = FrontendCapabilities(chat_pace=Pace(burst=3, per_second=1))
    early = Paces(three, now=0)
    assert early.wait(HOME, 0) == 1
    assert early.wait(HOME, 1) == 0
    assert Paces(three, now=0).wait(HOME, 3, cost=3) == 0


def shown_at_once(paces: Paces, conversation: ConversationId, *, can_wait: bool) -> int:
    count = 0
    while count < 100 and paces.wait(conversation, LATER, can_wait=can_wait) == 0:
        paces.take(conversation, LATER)
        count += 1
    return count


@pytest.mark.parametrize(
    ("conversation", "can_wait", "expected"),
    [(HOME, False, 3), (HOME, True, 2), (GROUP, False, 5), (GROUP, True, 4)],
)
def test_what_can_wait_leaves_a_token_for_what_cannot(
    conversation: ConversationId, can_wait: bool, expected: int
) -> None:
    paces = Paces(
        FrontendCapabilities(
            chat_pace=Pace(burst=3, per_second=1), group_pace=Pace(burst=5, per_second=1 / 3)
        ),
        now=0,
    )
    assert shown_at_once(paces, conversation, can_wait=can_wait) == expected
    if can_wait:
        assert paces.wait(conversation, LATER) == 0


def test_all_conversations_together_keep_the_total() -> None:
    paces = Paces(FrontendCapabilities(total_pace=Pace(burst=4, per_second=2)), now=0)
    assert shown_at_once(paces, HOME, can_wait=False) == 4
    assert paces.wait(ELSEWHERE, LATER) == 0.5


def test_with_a_burst_of_one_what_can_wait_still_goes_when_nothing_else_does() -> None:
    paces = Paces(FrontendCapabilities(chat_pace=Pace(burst=1, per_second=1)), now=0)
    assert paces.wait(HOME, LATER, can_wait=True) == 0


def test_a_message_of_several_parts_is_paid_for_in_full() -> None:
    paces = Paces(FrontendCapabilities(chat_pace=Pace(burst=2, per_second=1)), now=0)
    assert paces.wait(HOME, LATER, cost=5) == 0
    paces.take(HOME, LATER, 5)
    assert paces.wait(HOME, LATER) == 4


def test_a_refusal_stops_its_conversation_and_two_at_once_stop_all() -> None:
    paces = Paces(FrontendCapabilities(), now=0)
    paces.refused(HOME, 100, 30)
    assert (paces.wait(HOME, 100), paces.wait(ELSEWHERE, 100)) == (30, 0)
    paces.refused(HOME, 100.5, 30)
    assert paces.wait(ELSEWHERE, 100.5) == 0
    paces.refused(GROUP, 101, 20)
    assert paces.wait(ELSEWHERE, 101) == 20
    assert paces.wait(ELSEWHERE, 121) == 0


def test_two_refusals_far_apart_are_each_their_own() -> None:
    paces = Paces(FrontendCapabilities(), now=0)
    paces.refused(HOME, 100, 30)
    paces.refused(GROUP, 102, 30)
    assert paces.wait(ELSEWHERE, 102) == 0


def test_a_rest_ends_when_somebody_is_there_again() -> None:
    paces = Paces(FrontendCapabilities(), now=0)
    paces.rest(HOME, 0, 60)
    assert paces.wait(HOME, 10) == 50
    paces.wake(HOME)
    assert paces.wait(HOME, 10) == 0


def test_conversations_without_number_do_not_fill_the_memory() -> None:
    paces = Paces(FrontendCapabilities(chat_pace=Pace(burst=1, per_second=1)), now=0)
    for number in range(5 * BUCKETS_MAX):
        now = LATER + number
        paces.take(ConversationId(f"stage:{number}"), now)
        paces.rest(ConversationId(f"stage:{number}"), now, 1)
    assert len(paces._chats) <= BUCKETS_MAX + 1
    assert len(paces._rests) <= BUCKETS_MAX + 1


@pytest.mark.parametrize(
    ("conversation", "expected"),
    [("telegram:4", False), ("telegram:group:-4", True), ("console:group", True), ("x", False)],
)
def test_a_group_is_known_by_its_id(conversation: str, expected: bool) -> None:
    assert is_group(ConversationId(conversation)) is expected


def test_files_and_pictures_cost_a_message_each_where_they_are_sent() -> None:
    file = ViewFile(name="a", sha256="", size_bytes=1, media_type="text/csv")
    view = View(text="x", files=(file, file), qr="deskhand://pair")
    assert cost_of(view, FrontendCapabilities(files=True)) == 4
    assert cost_of(view, FrontendCapabilities()) == 1


def test_claims_of_many_at_the_same_moment_are_no_more_than_there_is() -> None:
    paces = Paces(FrontendCapabilities(total_pace=Pace(burst=5, per_second=24)), 0.0)
    waits = [paces.claim(ConversationId(f"stage:{number}"), LATER) for number in range(50)]
    assert waits.count(0.0) == 5
    assert waits[5:] == [pytest.approx(1 / 24)] * 45
