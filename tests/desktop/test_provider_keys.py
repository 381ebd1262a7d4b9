"""Keys of makers of language models, as the machine has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.system.paths import find_paths
from desktop.system.provider_keys import read_keys
from desktop.system.safe import Safe


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (' "sk-1" ', "sk-1"),
        ("'sk-1'\n", "sk-1"),
        # What can be no key is not taken for none: whoever needs it says what is wrong with it.
        ("“sk-1”", "“sk-1”"),
    ],
    ids=["quoted", "quoted and ended", "odd"],
)
def test_a_key_of_the_environment_comes_without_its_quotes(
    tmp_path: Path, told: str, key: str
) -> None:
    safe = Safe(backend=lambda: None)
    found = read_keys(["A_KEY", "B_KEY"], find_paths(tmp_path), {"A_KEY": told, "B_KEY": " "}, safe)
    assert found == {"A_KEY": key}
