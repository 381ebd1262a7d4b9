"""What docs/fleet.md says stands in the code: settings, options, kinds, pools and places."""

from __future__ import annotations

import re
from pathlib import Path

from desktop.fleet.__main__ import OPTIONS
from hub.scaler.pools import parse_pools
from hub.settings import Settings
from shared.kinds.catalogue import BUILT_IN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fleet.md").read_text()


def test_every_setting_of_the_fleet_is_told_and_no_other() -> None:
    fields = {f"HUB_{name.upper()}" for name in Settings.model_fields if name.startswith("fleet_")}
    told = set(re.findall(r"\bHUB_FLEET_[A-Z]+", PAGE))
    assert told == fields


def test_every_option_of_a_node_is_told() -> None:
    for name in OPTIONS:
        assert f"--{name}" in PAGE, name


def test_the_kinds_that_can_be_given_away_are_named_and_are_all() -> None:
    fit = sorted(kind.name for kind in BUILT_IN.values() if kind.is_for_fleet)
    [sentence] = re.findall(r"can be given away at all: ([^.]*(?:\.[a-z][^.]*)*)\.", PAGE)
    assert sorted(re.findall(r"`([a-z.]+)`", sentence)) == fit


def test_the_pool_on_the_page_is_one_that_the_scaler_reads() -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    [pool] = parse_pools(text)
    assert pool.host == "docker"


def test_places_that_the_page_names_are_there() -> None:
    for place in re.findall(r"`(packaging/[\w./-]+|docs/[\w.-]+)`", PAGE):
        assert place.endswith("/.env") or (ROOT / place).exists(), place
    for name in re.findall(r"\]\((\w[\w.-]+\.md)\)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
    for example in (ROOT / "packaging" / "kubernetes" / "examples").iterdir():
        assert f"`{example.name}`" in PAGE
