"""Files are read as text, in parts, and listed; what cannot be read is told."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from desktop.jobs.documents import conversion
from desktop.jobs.documents.conversion import converted
from desktop.jobs.documents.read import bounded, list_files, run
from shared.errors import AppError
from shared.kinds.files import ListInputs, ReadInputs
from tests.desktop.jobs.fake_context import FakeContext, context_of


def written(context: FakeContext, name: str, content: bytes) -> Path:
    path = context.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_text_is_read_whatever_its_encoding(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    text = "Grüße aus Köln, schöne Straße.\n" * 5
    for encoding in ("utf-8", "utf-8-sig", "utf-16-le", "cp1252"):
        written(context, "a.txt", text.encode(encoding))
        assert run(context, ReadInputs(file="a.txt")).text == text


def test_a_long_text_is_read_in_parts(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    text = "".join(f"{n:05}\n" for n in range(20_000))
    written(context, "a.txt", text.encode())
    start, parts = 0, []
    while True:
        told = run(context, ReadInputs(file="a.txt", start=start, chars_max=40_000))
        parts.append(told.text)
        assert len(json.dumps(told.model_dump(mode="json"))) < 64_000
        if told.next_start is None:
            break
        start = told.next_start
    assert "".join(parts) == text
    assert told.read[0].chars == len(text)


def test_a_result_is_never_too_large_to_be_told() -> None:
    for letter in ("a", "ä", "報", "🎉", '"', "\n"):
        part = bounded(letter * 60_000, 48_000)
        assert 47_000 < len(json.dumps(part, ensure_ascii=False).encode()) < 48_100


def test_a_folder_is_read_by_a_pattern(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    written(context, "a.md", b"one")
    written(context, "deep/b.MD", b"two")
    written(context, "c.txt", b"three")
    written(context, ".hidden/d.md", b"four")
    written(context, ".e.md", b"five")
    (tmp_path / "outside.md").write_text("six")
    if sys.platform != "win32":
        (context.folder / "link.md").symlink_to(tmp_path / "outside.md")
    told = run(context, ReadInputs(folder="files", pattern="*.md"))
    assert told.text == "=== files/a.md ===\none\n\n=== files/deep/b.MD ===\ntwo"
    assert [one.name for one in told.read] == ["files/a.md", "files/deep/b.MD"]


@pytest.mark.parametrize("folder", ["..", "/etc", "/", "../secret", "~", "missing", "\x00", ""])
def test_a_folder_elsewhere_is_refused(tmp_path: Path, folder: str) -> None:
    context = context_of(tmp_path)
    (tmp_path / "secret").mkdir()
    with pytest.raises(AppError) as caught:
        run(context, ReadInputs(folder=folder))
    assert caught.value.code in ("file_outside_folders", "folder_missing", "files_none")


def test_one_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    written(context, "a.md", b"one")
    written(context, "b.md", bytes(range(32)) * 20)
    told = run(context, ReadInputs(folder="files"))
    assert told.text.endswith("one")
    assert told.notes == ("⚠ files/b.md: b.md is no text that can be read.",)


def test_what_acts_in_a_terminal_is_made_harmless(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    written(context, "a.txt", b"a\x1b[2Jb and then a long line of plain text that follows")
    assert "\x1b" not in run(context, ReadInputs(file="a.txt")).text


def test_a_pattern_cannot_hold_it_up(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    written(context, "a" * 200 + ".md", b"x")
    with pytest.raises(AppError) as caught:
        run(context, ReadInputs(folder="files", pattern="*a" * 49 + "b"))
    assert caught.value.code == "files_none"


def test_a_listing_tells_the_newest_first(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    os.utime(written(context, "old.md", b"12"), (1e9, 1e9))
    written(context, "new.md", b"1")
    told = list_files(context, ListInputs())
    assert [(one.name, one.size_bytes) for one in told.entries] == [
        ("files/new.md", 1),
        ("files/old.md", 2),
    ]
    assert told.entries[1].changed == "2001-09-09"
    assert list_files(context, ListInputs(pattern="old*")).total == 1


def test_a_listing_of_many_files_fits_into_a_result(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    for number in range(400):
        written(context, f"{'n' * 150}{number}.md", b"")
    told = list_files(context, ListInputs())
    assert told.total == 400
    assert len(json.dumps(told.model_dump(mode="json"))) < 64_000


def bomb(ending: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"word/{number}.xml", b"0" * 100_000_000)
    return made.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["docx", "xlsx", "pptx"])
def test_a_bomb_is_seen_before_it_is_opened(tmp_path: Path, ending: str) -> None:
    context = context_of(tmp_path)
    written(context, f"a.{ending}", bomb(ending))
    with pytest.raises(AppError) as caught:
        run(context, ReadInputs(file=f"a.{ending}"))
    assert caught.value.code == "file_too_large"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.docx", b"PK\x03\x04broken"), ("a.docx", b"<html>"), ("a.xlsx", b"")],
)
def test_a_broken_document_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(AppError) as caught:
        run(
            context_of(tmp_path), ReadInputs(file=str(written(context_of(tmp_path), name, content)))
        )
    assert caught.value.code == "file_broken"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script takes the reader's place")
def test_who_reads_for_ever_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = written(context_of(tmp_path), "a.pdf", b"%PDF-1.7")
    program = tmp_path / "sleeps"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(conversion, "_command", lambda: [str(program)])
    with pytest.raises(AppError) as caught:
        converted(made, seconds_max=0.2)
    assert caught.value.code == "reading_too_long"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pdf", "docx", "xlsx", "pptx"])
def test_documents_are_read_as_text(tmp_path: Path, form: str) -> None:
    pytest.importorskip("markitdown")
    context = context_of(tmp_path)
    made = context.folder / f"a.{form}"
    match form:
        case "xlsx":
            import openpyxl

            book = openpyxl.Workbook()
            book.active.append(["Umsatz", 1954])
            book.save(made)
        case "pptx":
            import pptx

            show = pptx.Presentation()
            show.slides.add_slide(show.slide_layouts[0]).shapes.title.text = "Umsatz 1954"
            show.save(str(made))
        case _:
            from desktop.jobs.documents.write import run as write
            from shared.kinds.files import WriteInputs

            write(context, WriteInputs(file=f"a.{form}", text="# Umsatz 1954"))
    told = run(context, ReadInputs(file=made.name))
    assert "Umsatz" in told.text
    assert "1954" in told.text
    assert told.read[0].sort == form


@pytest.mark.slow
def test_a_broken_pdf_is_told(tmp_path: Path) -> None:
    pytest.importorskip("markitdown")
    made = written(context_of(tmp_path), "a.pdf", b"%PDF-1.7\n" + os.urandom(2000))
    with pytest.raises(AppError) as caught:
        converted(made)
    assert caught.value.code == "file_broken"
