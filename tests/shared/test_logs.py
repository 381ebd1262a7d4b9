"""A secret that reaches the log leaves it blotted out, whoever logged it and wherever it stood."""

import io
import json
import logging

import pytest
import structlog

from shared.logs import configure, redact
from shared.redaction import BLOT

CANARIES = [
    "dh_worker_018f_Zm9vYmFyYmF6cXV4",
    "8123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "ghp_abcdefghijklmnopqrstuvwxyz0123",
    "Bearer abc.def.ghi",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_a_secret_inside_any_text_is_blotted_out(canary: str) -> None:
    told = str(redact({"url": f"https://api.example.org/bot{canary}/getMe", "list": [canary]}))
    assert canary not in told
    assert BLOT in told


def test_a_field_named_like_a_secret_is_blotted_out_whatever_it_holds() -> None:
    assert redact({"token": "harmless", "nested": {"Authorization": "x"}}) == {
        "token": BLOT,
        "nested": {"Authorization": BLOT},
    }


@pytest.mark.parametrize("json_lines", [True, False])
def test_no_canary_reaches_the_stream_through_either_logger(json_lines: bool) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    try:
        configure(json_lines=json_lines, stream=stream)
        for canary in CANARIES:
            structlog.get_logger("test").info("calling", url=f"https://x/{canary}")
            logging.getLogger("foreign").warning("calling %s", canary)
            try:
                raise ValueError(canary)
            except ValueError:
                logging.getLogger("foreign").exception("it broke")
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
    written = stream.getvalue()
    assert "calling" in written
    assert not [canary for canary in CANARIES if canary in written]
    if json_lines:
        assert all(json.loads(line)["event"] for line in written.splitlines())


def test_libraries_that_log_whole_urls_are_quiet() -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure(json_lines=True, stream=io.StringIO())
        assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
        assert not logging.getLogger("httpcore").isEnabledFor(logging.INFO)
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
