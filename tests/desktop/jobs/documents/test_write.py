"""Documents are written once, where they may be, and open in other programs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.documents import markdown
from desktop.jobs.documents.fonts import Fonts
from desktop.jobs.documents.pdf_file import write_pdf
from desktop.jobs.documents.pictures import Pictures
from desktop.jobs.documents.write import run
from shared.errors import AppError
from shared.ids import JobId
from shared.jobs import Origin
from shared.kinds.files import WriteInputs
from tests.desktop.jobs.fake_context import FakeContext, context_of

TEXT = """# Bericht über Юг 報告

Text with **bold**, a [link](https://example.org/) and `code`.

1. one
2. two
   - inner

| Item | 2025 |
|:-----|-----:|
| Ελλάδα | 1,954 |

> quoted

```
x = 1
```

1. anew
"""


def write(context: FakeContext, number: int = 1, **inputs: object) -> Path:
    now = replace(context, job_id=JobId(f"01900000-0000-7000-8000-{number:012x}"))
    told = run(now, WriteInputs.model_validate(inputs))
    assert context.written[-1] == Path(told.file)
    return Path(told.file)


def test_a_new_document_is_written_as_it_was_said(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    told = run(context, WriteInputs(file="reports/notes", text="# A ✓"))
    path = context.folder / "reports" / "notes.md"
    assert path.read_text(encoding="utf-8") == "# A ✓\n"
    assert told.headline == "notes.md (8 bytes) is written to reports."
    assert (told.is_new, told.added, told.removed) == (True, 1, 0)
    assert context.asked == []


def test_a_second_run_of_the_same_job_writes_nothing_again(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    first = run(context, WriteInputs(file="a.md", text="x"))
    inode = Path(first.file).stat().st_ino
    assert run(context, WriteInputs(file="a.md", text="x")) == first
    assert Path(first.file).stat().st_ino == inode
    assert [one.name for one in context.folder.iterdir()] == ["a.md"]


def test_a_taken_name_is_left_alone_and_a_free_one_used(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    assert write(context, 1, file="a.md", text="x").name == "a.md"
    assert write(context, 2, file="A.md", text="y").name == "a 2.md"
    assert write(context, 3, file="a.md", text="z").name == "a 3.md"
    assert (context.folder / "a.md").read_text() == "x\n"


@pytest.mark.parametrize("origin", [Origin.CHAT, Origin.API, Origin.GROUP])
def test_to_overwrite_needs_a_yes_of_whoever_is_not_at_the_machine(
    tmp_path: Path, origin: Origin
) -> None:
    context = context_of(tmp_path)
    context.origin = origin
    write(context, 1, file="a.md", text="x")
    digest = _key(context, "x\n", "y\n")
    context.replies = {digest: "No"}
    with pytest.raises(AppError) as caught:
        write(context, 2, file="a.md", text="y", overwrite=True)
    assert caught.value.code == "change_refused"
    assert (context.folder / "a.md").read_text() == "x\n"
    context.replies = {digest: "Yes"}
    write(context, 3, file="a.md", text="y", overwrite=True)
    assert (context.folder / "a.md").read_text() == "y\n"
    (asked,) = context.asked[-1:]
    assert asked.default == "no"
    assert "-x" in asked.text
    assert "+y" in asked.text


def _key(context: FakeContext, before: str, after: str) -> str:
    from desktop.jobs.documents import telling
    from desktop.jobs.documents.changes import sha256

    path = context.folder / "a.md"
    made = telling.difference(before.encode(), after.encode(), path)
    digest = sha256(before.encode() + made.text.encode())
    return telling.asking("a.md", "overwrite", made, digest).key


def test_who_is_at_the_machine_and_an_agreed_plan_are_not_asked(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    write(context, 1, file="a.md", text="x")
    context.origin = Origin.LOCAL
    write(context, 2, file="a.md", text="y", overwrite=True)
    context.origin, context.is_planned = Origin.CHAT, True
    write(context, 3, file="a.md", text="z", overwrite=True)
    assert (context.folder / "a.md").read_text() == "z\n"
    assert context.asked == []


def test_what_is_missing_is_asked(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"file": "list.txt", "text": "milk"})
    assert write(context).read_text() == "milk\n"


def test_word_opens_what_was_written(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    context = context_of(tmp_path)
    document = docx.Document(str(write(context, file="report.docx", text=TEXT)))
    styles = [(one.style.name, one.text) for one in document.paragraphs if one.text]
    assert ("Heading 1", "Bericht über Юг 報告") in styles
    assert ("List Number", "one") in styles
    assert ("List Bullet 2", "inner") in styles
    assert ("Quote", "quoted") in styles
    table = document.tables[0]
    assert [cell.text for cell in table.rows[1].cells] == ["Ελλάδα", "1,954"]
    assert [r.target_ref for r in document.part.rels.values() if r.is_external] == [
        "https://example.org/"
    ]
    numbers = [
        one._p.pPr.numPr.numId.val for one in document.paragraphs if one.text in ("one", "anew")
    ]
    assert len(set(numbers)) == 2, "the second list goes on counting"
    assert document.core_properties.title == "Bericht über Юг 報告"


@pytest.mark.slow
def test_a_pdf_holds_its_words_and_links(tmp_path: Path) -> None:
    pytest.importorskip("fpdf")
    from pdfminer.high_level import extract_text

    context = context_of(tmp_path)
    path = write(context, file="report.pdf", text=TEXT)
    text = extract_text(io.BytesIO(path.read_bytes()))
    for word in ("Bericht über Юг", "bold", "Ελλάδα", "1,954", "quoted", "x = 1", "2."):
        assert word in text
    assert b"https://example.org/" in path.read_bytes()


@pytest.mark.slow
def test_letters_that_no_font_has_are_boxes_and_told() -> None:
    pytest.importorskip("fpdf")
    none = Fonts(italic=None, bold_italic=None, mono=None, others=())
    blocks = markdown.read("Tone: 報 and *italic* and `mono`")
    content, lacking = write_pdf(blocks, Pictures(_nowhere), fonts=none)
    assert lacking == "報"
    assert content.startswith(b"%PDF")


def _nowhere(name: str) -> Path:
    raise AppError("file_missing", name, "")


@pytest.mark.slow
def test_only_pictures_of_allowed_folders_go_in(tmp_path: Path) -> None:
    pytest.importorskip("docx")
    from PIL import Image

    context = context_of(tmp_path)
    Image.new("RGB", (60, 40), "red").save(context.folder / "plot.png")
    Image.new("RGB", (60, 40), "red").save(tmp_path / "outside.png")
    (context.folder / "fake.png").write_bytes(b"<svg/>")
    sources = ["plot.png", str(tmp_path / "outside.png"), "https://example.org/a.png", "fake.png"]
    text = "\n\n".join(f"![of {n}]({source})" for n, source in enumerate(sources))
    for form in ("docx", "pdf"):
        told = run(
            replace(context, job_id=JobId(f"01900000-0000-7000-8000-00000000000{len(form)}")),
            WriteInputs(file=f"a.{form}", text=text),
        )
        (note,) = told.notes
        assert "outside.png" in note
        assert "plot.png" not in note.replace("outside.png", "")


@pytest.mark.parametrize(
    ("form", "text", "content"),
    [
        ("json", '{"a": [1, "ü"]}', '{\n  "a": [\n    1,\n    "ü"\n  ]\n}\n'),
        ("json", '```json\n{"a": 1}\n```', '{\n  "a": 1\n}\n'),
        ("csv", "a,b\n1,2", "a,b\n1,2\n"),
        ("csv", "| a | b |\n|---|---|\n| 1 | -2.5 |", "a,b\n1,-2.5\n"),
        ("csv", "a\n=cmd|'/c calc'!A1\n@x\n-x", "a\n'=cmd|'/c calc'!A1\n'@x\n'-x\n"),
        ("txt", "a\r\n\u2028b", "a\r\n\u2028b\n"),
    ],
)
def test_data_is_written_as_data(tmp_path: Path, form: str, text: str, content: str) -> None:
    context = context_of(tmp_path)
    made = write(context, file="a", format=form, text=text)
    assert made.read_bytes().decode() == content
    assert made.name == f"a.{form}"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"file": "a.json", "text": "{"}, "json_invalid"),
        ({"file": "a.json", "text": '{"a": NaN}'}, "json_invalid"),
        ({"file": "a.json", "text": "[" * 100_000}, "json_invalid"),
        ({"file": "a.md", "format": "pdf", "text": "x"}, "format_unlike"),
        ({"file": "a.md", "text": "  "}, "text_empty"),
        ({"file": "../a.md", "text": "x"}, "file_name_invalid"),
        ({"file": ".bashrc", "text": "x"}, "file_name_invalid"),
    ],
)
def test_what_cannot_be_written_is_told_and_nothing_is_made(
    tmp_path: Path, inputs: dict[str, str], code: str
) -> None:
    context = context_of(tmp_path)
    with pytest.raises(AppError) as caught:
        run(context, WriteInputs.model_validate(inputs))
    assert caught.value.code == code
    assert list(context.folder.iterdir()) == []


def test_a_script_gets_the_ending_of_a_document(tmp_path: Path) -> None:
    assert write(context_of(tmp_path), file="run.sh", text="x").name == "run.sh.md"


def test_a_link_put_in_its_place_meanwhile_is_not_followed(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    (tmp_path / "outside").mkdir()
    (context.folder / "reports").symlink_to(tmp_path / "outside")
    with pytest.raises(AppError) as caught:
        run(context, WriteInputs(file="reports/a.md", text="x"))
    assert caught.value.code == "file_outside_folders"
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_result_says_what_it_is_as_json(tmp_path: Path) -> None:
    told = run(context_of(tmp_path), WriteInputs(file="a.md", text="x" * 900_000))
    assert len(json.dumps(told.model_dump(mode="json"))) < 2_000
