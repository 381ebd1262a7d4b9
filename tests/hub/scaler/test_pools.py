"""The file of pools: what it says, and what is wrong with it, by line and field."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from hub.core.pool import Pool
from hub.hosts import open_host, settings_of
from hub.scaler.pools import parse_pools, read_pools
from shared.errors import AppError

SAMPLE = Path(__file__).parents[3] / "packaging" / "fleet" / "fleet.toml"
SMALL = """\
[[pools]]
name = "probes"
kinds = ["llm.probe"]
host = "process"
[pools.settings]
hub = "http://127.0.0.1:1"
folder = "/tmp/x"
secrets_file = "/tmp/y"
"""


def test_the_sample_can_be_used_as_it_is() -> None:
    (pool,) = read_pools(SAMPLE)
    assert (pool.name, pool.kinds, pool.slots) == ("here", ("llm.ask", "llm.probe"), 4)
    assert open_host(pool).name == "process"


def test_what_the_sample_shows_of_other_hosts_can_be_used_too() -> None:
    text = SAMPLE.read_text()
    parts = re.split(r"\n(?=# \[\[pools\]\])", text)[1:]
    for part in parts:
        lines = [line[2:] for line in part.splitlines() if line.startswith("# ")]
        until = next((i for i, line in enumerate(lines) if i and line.endswith(":")), len(lines))
        told = tomllib.loads("\n".join(lines[:until]))
        (pool,) = parse_pools("\n".join(lines[:until]))
        settings = settings_of(pool.host).model_validate(told["pools"][0]["settings"])
        assert settings.model_dump()["hub"].startswith("http")
    assert len(parts) == 3


def test_a_pool_has_defaults() -> None:
    (pool,) = parse_pools(SMALL)
    plain = Pool(name="probes", kinds=("llm.probe",), settings=pool.settings)
    assert pool == plain


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (SMALL.replace("host =", "nodes_maximum = 4\nhost ="),
         "pools[1].nodes_maximum is not known (line 4)"),
        (SMALL.replace("host =", 'nodes_max = "4"\nhost ='), "pools[1].nodes_max is wrong"),
        (SMALL.replace('kinds = ["llm.probe"]\n', ""), "pools[1].kinds is missing (line 1)"),
        (SMALL.replace("host =", "nodes_min = 11\nhost ="), "nodes_min 11 is more than nodes_max"),
        (SMALL.replace("llm.probe", "llm probe"), "'llm probe' is no kind"),
        (SMALL.replace("folder", "folders"), "pools[1].settings.folder is missing (line 5)"),
        (SMALL.replace('"process"', '"cloud"'), "There is no host 'cloud' (line 4)"),
        (SMALL + SMALL, "two pools are called 'probes' (line 10)"),
        (SMALL + "x = \n", "line 9"),
        ("", "pools is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_line_and_field(broken: str, told: str) -> None:
    with pytest.raises(AppError) as raised:
        parse_pools(broken)
    assert raised.value.code == "pools_invalid"
    assert told in raised.value.message
    assert raised.value.hint


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    with pytest.raises(AppError) as raised:
        parse_pools(SMALL + 'broker = "redis://:the-password@h"\n')
    assert "pools[1].settings.broker is not known (line 9)" in raised.value.message
    assert "the-password" not in str(raised.value)


def test_kubernetes_needs_what_its_mode_needs() -> None:
    text = SMALL.replace('"process"', '"kubernetes"')
    text = text.replace('folder = "/tmp/x"\nsecrets_file = "/tmp/y"', 'mode = "jobs"')
    with pytest.raises(AppError) as raised:
        parse_pools(text)
    assert "image is needed with mode jobs" in raised.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AppError) as raised:
        read_pools(tmp_path / "none.toml")
    assert raised.value.code == "pools_file_missing"
