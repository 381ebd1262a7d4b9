"""Each end alone, by tables: greetings, gaps, silence, floods, goodbyes."""

import pytest

from shared.errors import AppError
from shared.messages import (
    BATCH_EVENTS_MAX,
    Ack,
    Beat,
    Bye,
    Events,
    Hello,
    Offer,
    Pull,
    Push,
    Seen,
    Welcome,
)
from shared.protocol import DEAD_SECONDS, HELLO_SECONDS, HubEnd, Phase, WorkerEnd
from shared.protocol.end import FRAMES_BURST_MAX, WINDOW_EVENTS
from shared.protocol.frames import FROM_HUB, FROM_WORKER, decode, encode
from shared.protocol.worker_end import SEEN_EVENTS_MAX, SEEN_SECONDS
from tests.shared.protocol.worlds import AT, event, hello, numbered, opened


def test_a_worker_and_a_hub_greet_each_other() -> None:
    worker, hub = opened()
    assert worker.phase is Phase.OPEN
    assert hub.phase is Phase.OPEN


def test_a_worker_that_speaks_before_hello_is_sent_away() -> None:
    hub = HubEnd(0.0)
    assert hub.receive(encode(Seen(hub_seq=0)), 0.0) is None
    assert repr(hub) == "<HubEnd closed because hello_missing>"


def test_a_hub_that_speaks_before_its_welcome_is_left() -> None:
    worker = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=0, now=0.0)
    worker.hello(hello())
    assert worker.receive(encode(Ack(seq=0)), 0.0) is None
    assert worker.close_error is not None
    assert worker.close_error.code == "not_welcomed"


@pytest.mark.parametrize(("low", "high", "older"), [(2, 3, "hub"), (0, 0, "worker")])
def test_another_protocol_version_is_told_which_side_to_update(
    low: int, high: int, older: str
) -> None:
    hub = HubEnd(0.0)
    assert hub.receive(encode(hello(protocol_min=low, protocol_max=high)), 0.0) is None
    goodbye = decode(hub.frames_to_send()[0], FROM_HUB)
    assert isinstance(goodbye, Bye)
    assert goodbye.error is not None
    assert goodbye.error.code == "protocol_version"
    assert goodbye.error.hint == f"Update the {older}."


def test_saying_hello_or_welcome_twice_ends_the_connection() -> None:
    worker, hub = opened()
    hub.receive(encode(hello()), 1.0)
    assert hub.close_error is not None
    assert hub.close_error.code == "hello_twice"
    welcome = Welcome(
        protocol=1,
        hub_epoch="h",
        acked_seq=0,
        time=AT,
        limits={"frame_bytes_max": 1, "batch_events_max": 1, "beat_seconds": 1, "dead_seconds": 1},
    )
    worker.receive(encode(welcome), 1.0)
    assert worker.close_error is not None
    assert worker.close_error.code == "welcome_twice"


def test_a_connection_without_hello_ends_after_its_time() -> None:
    hub = HubEnd(100.0)
    assert hub.deadline == 100.0 + HELLO_SECONDS
    hub.poll(100.0 + HELLO_SECONDS)
    assert repr(hub) == "<HubEnd closed because hello_late>"


def test_a_beat_is_due_regularly_and_silence_ends_the_connection() -> None:
    worker, hub = opened()
    assert hub.poll(hub.deadline)
    hub.send(Beat())
    assert not hub.poll(16.0)
    worker.receive(hub.frames_to_send()[0], 15.0)
    worker.poll(15.0 + DEAD_SECONDS - 0.1)
    assert worker.phase is Phase.OPEN
    worker.poll(15.0 + DEAD_SECONDS)
    assert repr(worker) == "<WorkerEnd closed because peer_silent>"


def test_events_are_handed_over_once_and_acknowledged_when_committed() -> None:
    worker, hub = opened()
    assert worker.push([event(1), event(2)]) == 2
    (frame,) = worker.frames_to_send()
    fresh = hub.receive(frame, 1.0)
    assert isinstance(fresh, Push)
    assert [e.seq for e in fresh.events] == [1, 2]
    assert hub.receive(frame, 1.0) is None, "the same frame again counts for nothing"
    assert hub.frames_to_send() == [], "nothing is acknowledged before it is committed"
    hub.committed(2)
    worker.receive(hub.frames_to_send()[0], 1.0)
    assert worker.acked_seq == 2


def test_a_gap_is_pulled_again_from_its_start() -> None:
    worker, hub = opened(outbox_seq=5)
    fresh = hub.receive(encode(Push(events=(event(1), event(3)))), 1.0)
    assert isinstance(fresh, Push)
    assert [e.seq for e in fresh.events] == [1]
    pull = hub.frames_to_send()[0]
    assert decode(pull, FROM_HUB) == Pull(after=1)
    worker.next_seq = 4
    worker.receive(pull, 1.0)
    assert worker.next_seq == 2


def test_events_of_another_device_are_refused() -> None:
    _, hub = opened()
    assert hub.receive(encode(Push(events=(event(1, device="mallory"),))), 1.0) is None
    assert repr(hub) == "<HubEnd closed because event_foreign>"


def test_no_more_than_a_window_is_under_way() -> None:
    worker, _ = opened()
    sent = 0
    while took := worker.push([event(sent + n + 1) for n in range(BATCH_EVENTS_MAX)]):
        sent += took
    assert sent == WINDOW_EVENTS
    worker.receive(encode(Ack(seq=10)), 1.0)
    assert worker.room == 10


def test_a_batch_is_split_so_that_it_fits_a_frame() -> None:
    worker, _ = opened()
    fat = [event(n, text="x" * 2000) for n in range(1, 101)]
    first = worker.push(fat)
    assert 1 <= first < 100
    assert worker.push(fat[first:]) >= 1
    pushed = [decode(frame, FROM_WORKER) for frame in worker.frames_to_send()]
    assert [type(message) for message in pushed] == [Push, Push]


def test_an_acknowledgement_of_what_was_never_written_ends_the_connection() -> None:
    worker, _ = opened(outbox_seq=3)
    worker.receive(encode(Ack(seq=4)), 1.0)
    assert repr(worker) == "<WorkerEnd closed because ack_ahead>"


def test_a_worker_restored_from_an_older_copy_notices() -> None:
    worker, _ = opened(outbox_seq=3, acked_seq=7)
    assert repr(worker) == "<WorkerEnd closed because worker_restored>"


def test_another_hub_store_starts_the_cursor_anew() -> None:
    worker = WorkerEnd(hub_epoch="old", hub_seq=90, outbox_seq=0, now=0.0)
    hub = HubEnd(0.0)
    worker.hello(hello(hub_epoch="old", hub_seq=90))
    hub.receive(worker.frames_to_send()[0], 0.0)
    hub.welcome(hub_epoch="new", acked_seq=0, hub_seq=0, time=AT, verdicts=())
    worker.receive(hub.frames_to_send()[0], 0.0)
    assert (worker.hub_epoch, worker.hub_seq) == ("new", 0)


def test_the_hubs_events_are_applied_from_the_cursor_only() -> None:
    worker, hub = opened(hub_seq=10)
    assert worker.receive(encode(Events(after=12, upto=13, events=())), 1.0) is None
    pull = worker.frames_to_send()[0]
    assert decode(pull, FROM_WORKER) == Pull(after=10)
    hub.sent_hub_seq = 20
    hub.receive(pull, 1.0)
    assert hub.sent_hub_seq == 10
    overlapping = Events(after=8, upto=12, events=(numbered(9), numbered(11)))
    fresh = worker.receive(encode(overlapping), 1.0)
    assert isinstance(fresh, Events)
    assert [e.hub_seq for e in fresh.events] == [11]
    worker.applied(12)
    assert worker.receive(encode(overlapping), 1.0) is None


def test_what_was_applied_is_told_once_for_many() -> None:
    worker, hub = opened()
    worker.frames_to_send()
    for upto in (1, 2, 3):
        hub.send_events([numbered(upto)], upto)
        worker.applied(upto, now=float(upto) / 100)
    assert worker.frames_to_send() == []
    assert worker.deadline == 0.01 + SEEN_SECONDS
    assert not worker.poll(0.02)
    assert worker.frames_to_send() == []
    assert not worker.poll(worker.deadline)
    (frame,) = worker.frames_to_send()
    assert hub.receive(frame, 1.0) == Seen(hub_seq=3)
    assert worker.deadline > 1.0, "nothing is left to tell"


def test_the_hub_is_told_at_once_before_its_window_fills() -> None:
    worker, hub = opened()
    worker.frames_to_send()
    upto = 0
    for _ in range(3 * WINDOW_EVENTS // 10):
        upto += 10
        assert hub.may_send_events
        hub.send_events([], upto)
        worker.applied(upto, now=0.0)
        for frame in worker.frames_to_send():
            hub.receive(frame, 0.0)
    assert upto - hub.seen_hub_seq < SEEN_EVENTS_MAX


def test_a_stretch_of_the_log_that_is_too_fat_is_sent_in_part() -> None:
    _, hub = opened()
    fat = [
        n.model_copy(update={"event": n.event.model_copy(update={"body": {"t": "x" * 9000}})})
        for n in (numbered(n) for n in range(1, 41))
    ]
    hub.send_events(fat, 50)
    assert 0 < hub.sent_hub_seq < 40
    part = decode(hub.frames_to_send()[0], FROM_HUB)
    assert isinstance(part, Events)
    assert part.upto == part.events[-1].hub_seq == hub.sent_hub_seq


def test_seeing_what_was_never_sent_ends_the_connection() -> None:
    _, hub = opened()
    hub.receive(encode(Seen(hub_seq=1)), 1.0)
    assert repr(hub) == "<HubEnd closed because seen_ahead>"


def test_a_pull_that_comes_too_late_turns_nothing_back() -> None:
    _, hub = opened()
    hub.send_events([numbered(1), numbered(2)], 2)
    hub.receive(encode(Pull(after=0)), 1.0)
    hub.send_events([numbered(1), numbered(2)], 2)
    hub.receive(encode(Pull(after=0)), 1.0)
    assert hub.receive(encode(Seen(hub_seq=2)), 1.0) == Seen(hub_seq=2)
    assert hub.sent_hub_seq == 2, "what was seen is not sent a third time"


def test_a_flood_of_frames_ends_the_connection() -> None:
    _, hub = opened()
    frame = encode(Beat())
    for _ in range(int(FRAMES_BURST_MAX) + 5):
        hub.receive(frame, 1.0)
    assert repr(hub) == "<HubEnd closed because too_many_frames>"


def test_after_a_goodbye_nothing_is_read_or_sent() -> None:
    worker, hub = opened()
    hub.close(AppError("hub_full", "This hub has no room for another worker.", "Try later."))
    worker.receive(hub.frames_to_send()[0], 1.0)
    assert worker.phase is Phase.CLOSED
    assert worker.close_error is not None
    assert worker.close_error.hint == "Try later."
    worker.send(Beat())
    assert worker.frames_to_send() == []
    assert worker.receive(encode(Beat()), 2.0) is None
    assert not worker.poll(10_000.0)


def test_an_offer_passes_through_to_the_shell() -> None:
    worker, _ = opened()
    offer = Offer(
        job={"job_id": "j", "task_id": "t", "kind": "ml.train", "title": "Train"},
        attempt=1,
        expires_in_seconds=30,
    )
    assert worker.receive(encode(offer), 1.0) == offer


def test_a_first_message_that_is_hello_is_returned_for_the_welcome() -> None:
    hub = HubEnd(0.0)
    assert isinstance(hub.receive(encode(hello()), 0.0), Hello)
    assert hub.phase is Phase.OPENING
