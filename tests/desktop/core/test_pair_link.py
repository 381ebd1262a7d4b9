"""Links that pair: read when they are exactly one, refused otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.pair_link import LINK_CHARS_MAX, is_link, parse_link
from shared.errors import AppError

GOOD = "deskhand://pair?hub=https%3A%2F%2Fhub.example.org&code=BCDF-GHJK"


@pytest.mark.parametrize(
    ("link", "base"),
    [
        (GOOD, "https://hub.example.org"),
        (f"  {GOOD}\n", "https://hub.example.org"),
        ("deskhand://pair/?code=bcdfghjk&hub=hub.example.org", "https://hub.example.org"),
        ("deskhand://pair?hub=https://h.example:8443/desk/&code=BCDF-GHJK",
         "https://h.example:8443/desk"),
        ("deskhand://pair?hub=http://127.0.0.1:8765&code=BCDF-GHJK", "http://127.0.0.1:8765"),
    ],
)  # fmt: skip
def test_a_link_names_a_hub_and_a_code(link: str, base: str) -> None:
    assert is_link(link)
    found = parse_link(link)
    assert found.base == base
    assert found.code.replace("-", "") == "BCDFGHJK"


@pytest.mark.parametrize(
    "link",
    [
        "deskhand://pair",
        "deskhand://pair?hub=https://h.example",
        "deskhand://pair?code=BCDF-GHJK",
        GOOD + "&code=XXXX-XXXX",
        GOOD + "&folder=%2F",
        GOOD + "#fragment",
        GOOD.replace("pair", "pair@evil.example"),
        GOOD.replace("pair?", "pair:80?"),
        GOOD.replace("pair?", "run?"),
        GOOD.replace("pair?", "pair/../run?"),
        GOOD.replace("deskhand:", "https:"),
        GOOD.replace("BCDF-GHJK", "--home"),
        GOOD.replace("BCDF-GHJK", "BCDF%0AGHJK"),
        "deskhand://pair?hub=https%3A%2F%2Fgood.example%40evil.example&code=BCDF-GHJK",
        "deskhand://pair?hub=https%3A%2F%2Fh.example%3Fx%3D1&code=BCDF-GHJK",
        "deskhand://pair?hub=javascript%3Aalert(1)&code=BCDF-GHJK",
        "deskhand://pair?hub=file%3A%2F%2F%2Fetc%2Fpasswd&code=BCDF-GHJK",
        "deskhand://pair?hub=https://hüb.example&code=BCDF-GHJK",
        "deskhand://pair?hub=https%3A%2F%2Fh%C3%BCb.example&code=BCDF-GHJK",
        "deskhand://pair?hub=https%3A%2F%2Fh.example%E2%80%AE&code=BCDF-GHJK",
        "deskhand://pair?hub=%FF&code=BCDF-GHJK",
        "deskhand://pair?hub=https://h.example/" + "a" * LINK_CHARS_MAX + "&code=BCDF-GHJK",
        "deskhand://[pair?hub=https://h.example&code=BCDF-GHJK",
        "",
    ],
)
def test_anything_else_is_refused(link: str) -> None:
    with pytest.raises(AppError) as refused:
        parse_link(link)
    assert refused.value.code == "pair_link_invalid"


def test_a_link_cannot_lead_to_a_hub_without_encryption() -> None:
    with pytest.raises(AppError) as refused:
        parse_link("deskhand://pair?hub=http://hub.example.org&code=BCDF-GHJK")
    assert refused.value.code == "hub_url_insecure"


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_text_makes_it_stumble(hub: str, code: str) -> None:
    for link in (f"deskhand://pair?hub={hub}&code={code}", hub + code, f"deskhand:{hub}"):
        try:
            found = parse_link(link)
        except AppError:
            continue
        assert found.base.startswith(("https://", "http://"))
        assert "@" not in found.base


def test_a_code_is_no_link() -> None:
    assert not is_link("BCDF-GHJK")
    assert is_link("DESKHAND://pair?x")
