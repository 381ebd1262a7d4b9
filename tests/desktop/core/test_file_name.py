"""Devices, streams and paths to other machines are told from plain names."""

from __future__ import annotations

import pytest

from desktop.core.file_name import is_trap


@pytest.mark.parametrize(
    "name",
    ["CON", "con.csv", "data/NUL", "C:\\data\\aux.txt", "com1.csv", "LPT9", "nul .csv", "a.csv:x",
     "data\\a.csv::$DATA"],
)  # fmt: skip
def test_devices_and_streams_are_traps_on_windows_alone(name: str) -> None:
    assert is_trap(name, is_windows=True)
    assert not is_trap(name, is_windows=False)


@pytest.mark.parametrize(
    "name",
    ["sales.csv", "C:\\data\\sales.csv", "console.csv", "com10.csv", "a/nulls.csv"],
)
def test_plain_names_are_none(name: str) -> None:
    assert not is_trap(name, is_windows=True)


@pytest.mark.parametrize("name", ["\\\\server\\x", "//server/x", "\\/server/x", " \\\\?\\C:\\x"])
@pytest.mark.parametrize("is_windows", [True, False])
def test_paths_to_other_machines_are_traps_everywhere(name: str, is_windows: bool) -> None:
    assert is_trap(name, is_windows=is_windows)
