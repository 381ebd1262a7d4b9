"""Why a hub does not answer, in words instead of the system's."""

import socket

import pytest

from desktop.core.link import reason_of, unreachable


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(111, "Connect call failed ('127.0.0.1', 8765)"), "nothing answers at that port"),
        (TimeoutError(), "no answer in time"),
        (OSError(104, "Connection reset by peer"), "the line was cut"),
        (EOFError("stream ends after 0 bytes"), "the line was cut"),
        (socket.gaierror(-2, "Name or service not known"), "its name is not known"),
        (OSError(101, "Network is unreachable"), "the network is not there"),
        (ValueError("odd"), "it does not answer as a hub does"),
    ],
)
def test_a_failed_try_is_told_in_plain_words(error: Exception, words: str) -> None:
    assert reason_of(error) == words
    assert unreachable("hub.example.org", words).message == (
        f"The hub at hub.example.org cannot be reached ({words})."
    )
