"""Versions compare as their makers mean them; what is signed is read strictly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from desktop.core.update import (
    Manifest,
    UpdateSource,
    is_newer,
    newer,
    next_check_at,
    open_envelope,
    parse_source,
    read_manifest,
    version_key,
    write_source,
)
from shared.errors import BadInput

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MANIFEST = Manifest(version="0.2.0", released_at=NOON, page="https://example.org/new")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.2.0", "0.1.9"),
        ("0.10.0", "0.9.9"),
        ("1.0", "1.0rc2"),
        ("1.0rc2", "1.0b9"),
        ("1.0rc10", "1.0rc9"),
        ("1.0a1", "1.0.dev3"),
        ("v2", "1.9.9"),
        ("1.0.1", "1.0"),
    ],
)
def test_a_version_comes_after_another(one: str, other: str) -> None:
    assert is_newer(one, other)
    assert not is_newer(other, one)


def test_the_same_version_written_differently_is_no_update() -> None:
    assert version_key("1.0") == version_key("v1.0.0+local.7")


@pytest.mark.parametrize("text", ["", "new", "1.0post", "1.0-shiny", "9" * 40, "1..2"])
def test_what_is_no_version_never_is_an_update(text: str) -> None:
    assert version_key(text) is None
    assert not is_newer(text, "0.1")


def test_an_older_version_leads_nobody_back() -> None:
    assert newer(MANIFEST, "0.3.0") is None
    found = newer(MANIFEST, "0.1.0")
    assert found is not None
    assert found.version == "0.2.0"


@pytest.mark.parametrize(
    "change",
    [
        {"version": "soon"},
        {"page": "http://example.org"},
        {"page": "javascript:alert(1)"},
        {"released_at": "yesterday"},
        {"notes": "not a list"},
    ],
)
def test_a_manifest_that_is_odd_is_refused(change: dict[str, object]) -> None:
    told = {**MANIFEST.model_dump(mode="json"), **change}
    with pytest.raises(BadInput, match="not what it should be"):
        read_manifest(json.dumps(told).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b'{"manifest": 3}', b"\xff", b"<html>"])
def test_a_file_that_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        open_envelope(content)


def test_a_source_is_an_address_and_a_key() -> None:
    source = UpdateSource("https://example.org/latest.json", bytes(range(32)))
    assert parse_source(write_source(source)) == source


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/latest.json",
        "https://example.org/latest.json#ed25519=short",
        "https://example.org/latest.json#" + "A" * 43,
        "http://example.org/latest.json#ed25519=" + "A" * 43,
        "file:///etc/passwd#ed25519=" + "A" * 43,
    ],
)
def test_a_source_without_encryption_or_without_a_key_is_none(text: str) -> None:
    with pytest.raises(BadInput):
        parse_source(text)


@pytest.mark.parametrize(
    ("checked", "is_metered", "wait"),
    [
        (None, None, timedelta(0)),
        (NOON - timedelta(hours=23), False, timedelta(hours=1)),
        (NOON - timedelta(hours=24), False, timedelta(0)),
        (NOON - timedelta(hours=24), True, timedelta(hours=1)),
        (NOON + timedelta(days=900), False, timedelta(0)),
    ],
)
def test_it_is_looked_for_once_a_day_and_not_where_the_network_counts(
    checked: datetime | None, is_metered: bool | None, wait: timedelta
) -> None:
    assert next_check_at(checked, NOON, is_metered=is_metered) == NOON + wait
