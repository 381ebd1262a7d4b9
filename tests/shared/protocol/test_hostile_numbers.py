"""Numbers that JSON can write and no store or screen can hold end at the wire."""

from __future__ import annotations

import pytest

from desktop.runner.lines import FROM_CHILD
from shared.ids import COUNT_MAX
from shared.protocol.frames import FROM_HUB, FROM_WORKER, ProtocolError, decode

JOB = "0192f000-0000-7000-8000-00000000abcd"
HUGE = COUNT_MAX + 1
EVENT = '"device":"d","at":"2026-01-01T00:00:00Z","type":"novel","body":{}'
INFINITE = EVENT.replace("{}", '{"a":[1e400,{"b":NaN}]}')
METRICS = '"memory_used_bytes":1,"memory_total_bytes":1,"disk_free_bytes":1'
ERROR = '"error":{"code":"a","message":"b","retry_after_seconds":1e400}'


@pytest.mark.parametrize(
    "frame",
    [
        f'{{"type":"progress","job_id":"{JOB}","attempt":1,"stage":"x","done":1e400,"total":1}}',
        f'{{"type":"progress","job_id":"{JOB}","attempt":1,"stage":"x","done":1,"total":NaN}}',
        f'{{"type":"beat","metrics":{{"cpu_share":Infinity,{METRICS}}}}}',
        f'{{"type":"decline","job_id":"{JOB}","attempt":1,{ERROR}}}',
        f'{{"type":"accept","job_id":"{JOB}","attempt":{HUGE}}}',
        f'{{"type":"push","events":[{{"epoch":{HUGE},"seq":1,{EVENT}}}]}}',
        f'{{"type":"push","events":[{{"epoch":0,"seq":{HUGE},{EVENT}}}]}}',
        f'{{"type":"push","events":[{{"epoch":0,"seq":1,"version":{HUGE},{EVENT}}}]}}',
        f'{{"type":"push","events":[{{"epoch":0,"seq":1,{INFINITE}}}]}}',
        f'{{"type":"seen","hub_seq":{HUGE}}}',
    ],
)
def test_a_worker_cannot_send_a_number_that_nobody_can_hold(frame: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(frame, FROM_WORKER)
    assert caught.value.code == "message_invalid"


@pytest.mark.parametrize(
    "frame",
    [
        f'{{"type":"grant","job_id":"{JOB}","attempt":1,"fence":{HUGE}}}',
        f'{{"type":"grant","job_id":"{JOB}","attempt":{2**70},"fence":1}}',
        f'{{"type":"cancel","job_id":"{JOB}","attempt":{HUGE}}}',
        f'{{"type":"ack","seq":{HUGE}}}',
        f'{{"type":"events","after":0,"upto":{HUGE},"events":[]}}',
    ],
)
def test_a_hub_cannot_send_a_number_that_nobody_can_hold(frame: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(frame, FROM_HUB)
    assert caught.value.code == "message_invalid"


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"progress","stage":"a","done":1e400,"total":1}',
        b'{"type":"progress","stage":"a","done":1,"total":1,"eta_seconds":Infinity}',
        b'{"type":"failed","error":{"code":"x","message":"m","retry_after_seconds":1e400}}',
    ],
)
def test_a_child_cannot_say_a_number_that_the_wire_does_not_carry(line: bytes) -> None:
    with pytest.raises(ValueError, match="finite"):
        FROM_CHILD.validate_json(line)
