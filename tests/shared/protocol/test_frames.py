"""Whatever arrives as a frame becomes a typed message or one clear error, quickly."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import JobStarted, write_event
from shared.ids import JobId, WorkerId
from shared.messages import Ack, Beat, Hello, Push, Seen
from shared.protocol.frames import (
    DEPTH_MAX,
    FRAME_BYTES_MAX,
    FROM_HUB,
    FROM_WORKER,
    ProtocolError,
    decode,
    depth_exceeds,
    encode,
)
from tests.shared.protocol.worlds import AT

HELLO = Hello(
    device=WorkerId("w"), epoch=0, name="anna-pc", capabilities=(), slots=2, outbox_seq=0, hub_seq=0
)


@pytest.mark.parametrize("message", [HELLO, Seen(hub_seq=4), Beat()])
def test_a_message_comes_back_as_it_went_in(message: Hello | Seen | Beat) -> None:
    assert decode(encode(message), FROM_WORKER) == message


def nested(levels: int) -> str:
    return '{"type":"beat","held":' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "frame_malformed"),
        ("hello", "frame_malformed"),
        ("[]", "frame_malformed"),
        ("3", "frame_malformed"),
        ('{"type":"beat"', "frame_malformed"),
        ('{"type":"beat"}{"type":"beat"}', "frame_malformed"),
        ("\x00", "frame_malformed"),
        ("{}", "message_unknown"),
        ('{"type":"launch_missiles"}', "message_unknown"),
        ('{"type":null}', "message_unknown"),
        ('{"type":"ack","seq":1}', "message_unknown"),  # a hub's message, from a worker
        ('{"type":"seen"}', "message_invalid"),
        ('{"type":"seen","hub_seq":-1}', "message_invalid"),
        ('{"type":"seen","hub_seq":"many"}', "message_invalid"),
        ('{"type":"seen","hub_seq":1,"extra":true}', "message_invalid"),
        (nested(DEPTH_MAX + 1), "frame_too_deep"),
        (nested(50_000), "frame_too_deep"),
        ('{"type":"beat","x":"' + "a" * FRAME_BYTES_MAX + '"}', "frame_too_large"),
        ('{"type":"beat","x":"' + "ж" * (FRAME_BYTES_MAX // 2) + '"}', "frame_too_large"),
        (b'{"type":"beat"}', "frame_not_text"),
    ],
)
def test_a_bad_frame_is_refused_with_its_code(frame: str | bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(frame, FROM_WORKER)
    assert caught.value.code == code
    assert caught.value.close_code in (1002, 1003, 1007, 1008, 1009)


def test_an_error_quotes_no_more_than_a_little_of_a_hostile_frame() -> None:
    frame = json.dumps({"type": "seen", "hub_seq": 1, "x" * 100_000: 1})
    with pytest.raises(ProtocolError) as caught:
        decode(frame, FROM_WORKER)
    assert len(caught.value.message) < 1000


@given(st.text(alphabet='"\\[]{}a', max_size=300), st.integers(min_value=0, max_value=8))
def test_depth_is_counted_as_a_plain_reader_would(text: str, depth_max: int) -> None:
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    assert depth_exceeds(text, depth_max) == (deepest > depth_max)


def test_unclosed_strings_cost_one_pass_over_the_frame() -> None:
    # A pattern that starts anew at every quote would take hours over this one.
    assert not depth_exceeds('"' + '\\"' * 120_000 + "[" * 5, 3)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_input_raises_anything_but_a_protocol_error(frame: str | bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode(frame, FROM_WORKER)
    with contextlib.suppress(ProtocolError):
        decode(frame, FROM_HUB)


def test_a_batch_over_the_limit_is_refused_before_it_is_sent() -> None:
    event = write_event(
        JobStarted(job_id=JobId("j"), attempt=1, fence=1), device="w", epoch=0, seq=1, at=AT
    )
    huge = event.model_copy(update={"body": {"text": "x" * FRAME_BYTES_MAX}})
    with pytest.raises(ProtocolError) as caught:
        encode(Push(events=(huge,)))
    assert caught.value.code == "frame_too_large"
    assert encode(Ack(seq=3)) == '{"type":"ack","seq":3}'
