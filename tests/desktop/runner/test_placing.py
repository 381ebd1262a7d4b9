"""Where a file may be written: hostile names and links lead nowhere but into allowed folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from desktop.runner.folders import AllowedFolders
from shared.errors import AppError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes links and odd names")

OUTSIDE = [
    "../a.md", "../../etc/passwd", "a/../../b.md", "..\\a.md", "a\\..\\..\\b.md", "./../a.md",
    "/etc/passwd", "/etc/cron.d/a.md", "//server/share/a.md", "\\\\server\\share\\a.md",
    "////a.md", "\\\\?\\C:\\a.md", "~root/a.md", "~/a.md", "/proc/self/environ", "/dev/null",
    "file:///etc/passwd", "/tmp/../etc/a.md",
]  # fmt: skip
ODD = [
    "", " ", ".", "..", "/", "a/", "a//b.md", "a/./b.md", ".bashrc", ".ssh/authorized_keys",
    "notes/.git/hooks/pre-commit", ".config/autostart/a.desktop", "a.md.", "a.md .", " /a.md",
    "CON", "con.md", "NUL.txt", "aux", "COM1.docx", "LPT9", "CONIN$", "reports/PRN.pdf",
    "a:b.md", "a.md:stream", "C:a.md", "a*.md", "a?.md", 'a".md', "a<b>.md", "a|b.md",
    "a\x00.md", "a\n.md", "a\x1b[2J.md", "a\x7f.md", "cod\u202egpj.md", "a\u200bb.md", "\ud800.md",
    "x" * 241, "ä" * 130, "x/" * 9 + "a.md", "a" * 5000, "~a.md", "$MFT", "…/../b.md", "dir /a.md",
]  # fmt: skip


@pytest.fixture
def room(tmp_path: Path) -> tuple[AllowedFolders, Path]:
    folder = tmp_path / "Documents"
    (folder / "reports").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    ours = folder / "deskhand"
    ours.mkdir()
    return AllowedFolders((folder,), guarded=(ours,)), folder


@pytest.mark.parametrize("name", OUTSIDE + ODD, ids=ascii)
def test_a_hostile_name_is_refused_or_stays_inside(
    room: tuple[AllowedFolders, Path], name: str
) -> None:
    allowed, _ = room
    with pytest.raises(AppError) as caught:
        allowed.place(name)
    assert caught.value.code in ("file_name_invalid", "file_outside_folders", "file_guarded")


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("notes.md", "notes.md"),
        ("reports/june.docx", "reports/june.docx"),
        ("reports\\june.docx", "reports/june.docx"),
        ("new/deep/a.md", "new/deep/a.md"),
        ("Documents/a.md", "a.md"),
        ("documents/a.md", "a.md"),
        ("Überblick 2026 – Entwurf.md", "Überblick 2026 – Entwurf.md"),
        ("报告.md", "报告.md"),
        ("a..b.md", "a..b.md"),
        ("com10.md", "com10.md"),
        ("  spaced.md  ", "spaced.md"),
    ],
)
def test_a_plain_name_is_placed_in_an_allowed_folder(
    room: tuple[AllowedFolders, Path], name: str, below: str
) -> None:
    allowed, folder = room
    assert allowed.place(name) == folder / below
    assert not (folder / "new").exists()


def test_an_absolute_path_counts_below_an_allowed_folder_alone(
    room: tuple[AllowedFolders, Path],
) -> None:
    allowed, folder = room
    assert allowed.place(str(folder / "reports" / "a.md")) == folder / "reports" / "a.md"
    for path in (folder.parent / "secret" / "a.md", folder, folder / ".." / "secret" / "a.md"):
        with pytest.raises(AppError):
            allowed.place(str(path))


@pytest.mark.parametrize("given", ["NOTES.MD", "Notes.md", "notes.md"])
def test_a_name_that_differs_in_case_alone_is_the_same_file(
    room: tuple[AllowedFolders, Path], given: str
) -> None:
    allowed, folder = room
    (folder / "notes.md").write_text("x")
    assert allowed.place(given) == folder / "notes.md"


def test_letters_put_together_in_two_ways_are_the_same_file(
    room: tuple[AllowedFolders, Path],
) -> None:
    allowed, folder = room
    (folder / "Caf\u00e9.md").write_text("x")
    assert allowed.place("Cafe\u0301.md") == folder / "Caf\u00e9.md"


LINKS = ["secret", "secret/a.md", "missing", "/", ".", "..", "Documents/../secret", "/etc/passwd"]


@pytest.mark.parametrize("target", LINKS)
@pytest.mark.parametrize("name", ["link", "link/a.md", "LINK/a.md"])
def test_a_link_that_leads_out_leads_nowhere(
    room: tuple[AllowedFolders, Path], target: str, name: str
) -> None:
    allowed, folder = room
    (folder.parent / "secret" / "a.md").write_text("the person's")
    (folder / "link").symlink_to(folder.parent / target)
    with pytest.raises(AppError):
        allowed.place(name)
    assert (folder.parent / "secret" / "a.md").read_text() == "the person's"


def test_a_link_that_stays_inside_is_followed(room: tuple[AllowedFolders, Path]) -> None:
    allowed, folder = room
    (folder / "link").symlink_to(folder / "reports")
    assert allowed.place("link/a.md") == folder / "reports" / "a.md"


def test_a_link_into_a_hidden_folder_is_no_way_to_it(room: tuple[AllowedFolders, Path]) -> None:
    allowed, folder = room
    (folder / ".git").mkdir()
    (folder / "link").symlink_to(folder / ".git")
    with pytest.raises(AppError) as caught:
        allowed.place("link/config")
    assert caught.value.code == "file_guarded"


def test_what_is_ours_is_not_written_into(room: tuple[AllowedFolders, Path]) -> None:
    allowed, _ = room
    with pytest.raises(AppError) as caught:
        allowed.place("deskhand/policy.md")
    assert caught.value.code == "file_guarded"


def test_a_hidden_file_that_is_there_may_not_be_changed(
    room: tuple[AllowedFolders, Path],
) -> None:
    allowed, folder = room
    (folder / ".bashrc").write_text("x")
    with pytest.raises(AppError) as caught:
        allowed.place(str(folder / ".bashrc"))
    assert caught.value.code == "file_guarded"


def test_a_folder_that_is_hidden_and_allowed_itself_may_be_used(tmp_path: Path) -> None:
    hidden = tmp_path / ".notes"
    hidden.mkdir()
    assert AllowedFolders((hidden,)).place("a.md") == hidden / "a.md"


def test_pipes_and_folders_are_no_files(room: tuple[AllowedFolders, Path]) -> None:
    allowed, folder = room
    os.mkfifo(folder / "pipe.md")
    with pytest.raises(AppError) as caught:
        allowed.place("pipe.md")
    assert caught.value.code == "file_not_plain"
    with pytest.raises(AppError) as caught:
        allowed.place("reports")
    assert caught.value.code == "file_is_folder"


def test_without_an_allowed_folder_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        AllowedFolders(()).place("a.md")
    assert caught.value.code == "folders_none"


def test_settings_of_macos_and_windows_are_kept_from_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Library" / "LaunchAgents").mkdir(parents=True)
    with pytest.raises(AppError) as caught:
        AllowedFolders((tmp_path,)).place("Library/LaunchAgents/a.md")
    assert caught.value.code == "file_guarded"
    inside = AllowedFolders((tmp_path / "Library" / "LaunchAgents",))
    assert inside.place("a.md").name == "a.md"
