"""Events keep what they carry, say who wrote them, and survive readers that are older."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.errors import ErrorBody
from shared.events import Event, JobFailed, JobStarted, JobSucceeded, body_of, write_event
from shared.ids import JobId

AT = datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
STARTED = JobStarted(job_id=JobId("job"), attempt=1, fence=7)


def test_a_body_comes_back_as_it_went_in() -> None:
    for body in (
        STARTED,
        JobSucceeded(
            job_id=JobId("j"), attempt=2, fence=3, result={"a": [1, None]}, running_seconds=1.5
        ),
        JobFailed(
            job_id=JobId("j"), attempt=1, fence=1, error=ErrorBody(code="x", message="It broke.")
        ),
    ):
        event = write_event(body, device="w", epoch=0, seq=1, at=AT)
        assert body_of(Event.model_validate_json(event.model_dump_json())) == body
        assert event.entity == body.job_id


@pytest.mark.parametrize("change", [{"type": "moon_landed"}, {"version": 2}])
def test_an_event_of_a_newer_writer_is_kept_and_not_read(change: dict[str, object]) -> None:
    event = write_event(STARTED, device="w", epoch=0, seq=1, at=AT).model_copy(update=change)
    assert body_of(event) is None
    assert Event.model_validate_json(event.model_dump_json()) == event


def test_a_newer_field_is_ignored_by_the_body_and_kept_by_the_envelope() -> None:
    event = write_event(STARTED, device="w", epoch=0, seq=1, at=AT)
    newer = event.model_copy(update={"body": {**event.body, "mood": "calm"}})
    assert body_of(newer) == STARTED
    assert newer.body["mood"] == "calm"


def test_a_known_type_with_a_wrong_body_is_refused() -> None:
    event = write_event(STARTED, device="w", epoch=0, seq=1, at=AT)
    with pytest.raises(ValidationError):
        body_of(event.model_copy(update={"body": {"job_id": "j"}}))


def test_the_digest_changes_with_any_field_but_the_signature() -> None:
    event = write_event(STARTED, device="w", epoch=0, seq=1, at=AT)
    assert event.model_copy(update={"signature": "abc"}).digest == event.digest
    changes: list[dict[str, object]] = [
        {"seq": 2},
        {"epoch": 1},
        {"device": "v"},
        {"body": {}},
        {"type": "x"},
    ]
    for change in changes:
        assert event.model_copy(update=change).digest != event.digest
