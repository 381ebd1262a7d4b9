"""What providers answer means what their pages say it means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from desktop.core.llm.classify import Answer, fault_of_answer
from desktop.core.llm.endpoints import BUILT_IN
from desktop.core.llm.fault import LlmFault
from tests.desktop.core.llm.error_case import Case
from tests.desktop.core.llm.error_table import CASES

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENDPOINTS = {endpoint.name: endpoint for endpoint in BUILT_IN}


def told(case: Case) -> LlmFault:
    answer = Answer(status=case.status, headers=case.headers, body=case.body_bytes)
    return fault_of_answer(ENDPOINTS[case.provider], answer, now=NOON)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_documented_error_is_what_its_page_says(case: Case) -> None:
    fault = told(case)

    assert fault.fault is case.fault, fault
    assert fault.retryable is case.fault.is_retryable
    assert fault.wait_seconds == (None if case.wait is None else pytest.approx(case.wait))
    assert fault.http_status == case.status
    assert fault.code == case.fault.lower()
    assert fault.message
    assert fault.hint


def test_the_table_is_as_large_and_as_wide_as_it_has_to_be() -> None:
    assert len(CASES) >= 60
    assert len({case.id for case in CASES}) == len(CASES)
    # LM Studio writes OpenAI's errors, and documents none of its own.
    assert {case.provider for case in CASES} == set(ENDPOINTS) - {"lmstudio"}
    assert all(case.source.startswith("https://") for case in CASES)
