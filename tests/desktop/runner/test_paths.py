"""Whatever a name looks like, the file that is found lies in an allowed folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop.runner.folders import AllowedFolders
from shared.errors import AppError, BadInput, NotAllowed, NotFound

PARTS = st.sampled_from(
    ["..", ".", "", "data", "sales.csv", "secret.csv", "link", "loop", "~", "~root", "/", "\\",
     "//server/share", "\\\\server\\share", "C:", "NUL", "sales.csv:stream", "%2e%2e", "…", "\x01"]
)  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Iterator[Path]:
    """An allowed folder with files, links that lead out of it, and a secret beside it."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        (root / "allowed" / "data").mkdir(parents=True)
        (root / "allowed" / "more").mkdir()
        (root / "allowed" / "sales.csv").write_text("a,b\n")
        for folder in ("data", "more"):
            (root / "allowed" / folder / "twice.csv").write_text("a\n")
        (root / "allowed" / "data" / "inner.csv").write_text("a\n")
        (root / "secret.csv").write_text("secret\n")
        (root / "allowed" / "link").symlink_to(root)
        (root / "allowed" / "link.csv").symlink_to(root / "secret.csv")
        (root / "allowed" / "loop").symlink_to(root / "allowed" / "loop")
        yield root


def tried(allowed: AllowedFolders, name: str) -> Path | AppError:
    try:
        return allowed.find(name)
    except AppError as refused:
        return refused


@given(parts=st.lists(PARTS, max_size=6), is_absolute=st.booleans())
def test_no_name_leads_out_of_the_allowed_folders(
    house: Path, parts: list[str], is_absolute: bool
) -> None:
    allowed = AllowedFolders((house / "allowed",))
    name = "/".join(parts)
    if is_absolute:
        name = f"{house}/allowed/{name}"
    found = tried(allowed, name)
    if isinstance(found, AppError):
        assert found.hint
    else:
        assert found.resolve() == found
        assert found.is_relative_to(house / "allowed")
        assert found.is_file()


@given(st.text(max_size=300))
@example("ü" * 200)
@example("/" + "ü" * 200)
def test_no_text_breaks_the_search(house: Path, name: str) -> None:
    found = tried(AllowedFolders((house / "allowed",)), name)
    if isinstance(found, AppError):
        assert found.code.startswith("file_")
    else:
        assert found.is_relative_to(house / "allowed")


@pytest.mark.parametrize(
    "name", ["../secret.csv", "link/secret.csv", "link.csv", "/etc/passwd", "~root/.bashrc"]
)
def test_what_lies_outside_is_refused_whether_it_exists_or_not(house: Path, name: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        AllowedFolders((house / "allowed",)).find(name)
    assert caught.value.code == "file_outside_folders"
    assert "secret\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["sales.csv", "./sales.csv", "data/../sales.csv"])
def test_an_allowed_file_is_found_by_name_and_by_path(house: Path, name: str) -> None:
    allowed = AllowedFolders((house / "allowed",))
    assert allowed.find(name) == house / "allowed" / "sales.csv"
    assert allowed.find(str(house / "allowed" / name)) == house / "allowed" / "sales.csv"


def test_a_bare_name_is_found_further_down(house: Path) -> None:
    found = AllowedFolders((house / "allowed",)).find("inner.csv")
    assert found == house / "allowed" / "data" / "inner.csv"


def test_a_name_that_is_there_twice_asks_which(house: Path) -> None:
    with pytest.raises(BadInput) as caught:
        AllowedFolders((house / "allowed",)).find("twice.csv")
    assert caught.value.code == "file_ambiguous"
    assert "data" in caught.value.message
    assert "more" in caught.value.message


def test_a_near_miss_is_named(house: Path) -> None:
    with pytest.raises(NotFound) as caught:
        AllowedFolders((house / "allowed",)).find("sale.csv")
    assert caught.value.code == "file_missing"
    assert "sales.csv" in caught.value.hint


def test_a_folder_is_no_file(house: Path) -> None:
    with pytest.raises(BadInput) as caught:
        AllowedFolders((house / "allowed",)).find("data")
    assert caught.value.code == "file_is_folder"


@pytest.mark.parametrize("name", ["\\\\server\\share\\x.csv", "//server/x.csv", "\\\\?\\C:\\x"])
def test_a_path_to_another_machine_is_not_even_looked_at(house: Path, name: str) -> None:
    with pytest.raises(NotAllowed):
        AllowedFolders((house / "allowed",)).find(name)


def test_without_allowed_folders_nothing_is_found(house: Path) -> None:
    with pytest.raises(AppError):
        AllowedFolders(()).find(str(house / "allowed" / "sales.csv"))
    assert AllowedFolders(()).recent((".csv",), count_max=5) == []


def test_recent_files_are_newest_first_and_never_behind_a_link(house: Path) -> None:
    os.utime(house / "allowed" / "sales.csv", (1, 1))
    found = AllowedFolders((house / "allowed",)).recent((".csv",), count_max=10)
    assert found[-1] == house / "allowed" / "sales.csv"
    assert house / "allowed" / "link.csv" not in found
    assert all(path.resolve().is_relative_to(house / "allowed") for path in found)
