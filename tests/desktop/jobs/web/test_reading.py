"""The reader: a program of its own, in the sandbox, for documents that strangers wrote."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import UTC, datetime

import pytest
from docx import Document
from fpdf import FPDF
from openpyxl import Workbook
from pptx import Presentation

from desktop.core.web.sorts import Sort
from desktop.jobs.web.fetcher import Fetched
from desktop.jobs.web.reader.decoding import decoded
from desktop.jobs.web.reader.html_page import read_page
from desktop.jobs.web.reading import Reader
from shared.errors import AppError
from tests.web_sites.site import article

AT = datetime(2026, 11, 22, tzinfo=UTC)
FACT = "Bees make 30 kg of honey a year. "
READER = Reader()


def fetched(body: bytes, sort: Sort, charset: str = "") -> Fetched:
    return Fetched(
        url="https://example.org/a", sort=sort, media_type="", charset=charset, body=body,
        is_cut=False, at=AT,
    )  # fmt: skip


def docx() -> bytes:
    document = Document()
    document.add_heading("Report")
    document.add_paragraph(FACT)
    return saved(document)


def xlsx() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["place", "kg"])
    sheet.append(["hive", FACT])
    return saved(book)


def pptx() -> bytes:
    slides = Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = FACT
    return saved(slides)


def saved(document: object) -> bytes:
    made = io.BytesIO()
    document.save(made)  # type: ignore[attr-defined]
    return made.getvalue()


def pdf() -> bytes:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=12)
    made.cell(text=FACT)
    return bytes(made.output())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sort", "body"),
    [
        (Sort.HTML, article("Report", FACT * 10).encode()),
        (Sort.PDF, pdf()),
        (Sort.DOCX, docx()),
        (Sort.XLSX, xlsx()),
        (Sort.PPTX, pptx()),
    ],
    ids=lambda told: told.value if isinstance(told, Sort) else "",
)
async def test_documents_are_read(sort: Sort, body: bytes) -> None:
    read = await READER.read(fetched(body, sort))
    assert "30 kg of honey" in read.text
    assert not read.is_cut


def packed(name: str, *entries: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for entry, data in entries:
            archive.writestr(entry, data)
    return made.getvalue()


_BILLION = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "haha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><w:document>&j;</w:document>"
)
_OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    b"<w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sort", "body"),
    [
        (Sort.PDF, b"%PDF-1.7\n" + b"garbage " * 1000),
        (Sort.DOCX, b"PK\x03\x04" + b"\x00" * 100),
        (Sort.DOCX, packed("bomb", ("word/document.xml", b"0" * 200_000_000))),
        (Sort.XLSX, packed("many", *((f"{n}", b"") for n in range(6000)))),
        (Sort.DOCX, packed("laughs", ("word/document.xml", _BILLION))),
        (Sort.XLSX, packed("nothing")),
    ],
    ids=["broken-pdf", "broken-docx", "bomb", "many-entries", "laughs", "no-sheets"],
)
async def test_a_document_that_is_badly_meant_is_told_as_unreadable(
    sort: Sort, body: bytes
) -> None:
    with pytest.raises(AppError) as caught:
        await READER.read(fetched(body, sort))
    assert caught.value.code == "page_unreadable"


@pytest.mark.slow
async def test_a_document_reads_no_file_of_this_machine() -> None:
    try:
        read = await READER.read(fetched(packed("x", ("word/document.xml", _OUTSIDE)), Sort.DOCX))
    except AppError as error:
        assert "root:" not in error.message  # noqa: PT017
    else:
        assert "root:" not in read.text


@pytest.mark.slow
async def test_reading_that_takes_too_long_is_ended() -> None:
    hurried = Reader(seconds_max=0.05)
    before = time.monotonic()
    with pytest.raises(AppError) as caught:
        await hurried.read(fetched(article("A", FACT).encode(), Sort.HTML))
    assert caught.value.code == "page_unreadable"
    assert time.monotonic() - before < 20, "it was not waited for"


@pytest.mark.slow
async def test_a_page_of_a_hundred_thousand_levels_harms_nobody() -> None:
    deep = b"<html><body>" + b"<div>" * 100_000 + FACT.encode() * 20 + b"</html>"
    try:
        await READER.read(fetched(deep, Sort.HTML))
    except AppError as error:
        assert error.code == "page_unreadable"  # noqa: PT017


async def test_plain_texts_need_no_program() -> None:
    read = await READER.read(fetched(b'{"a": "\x1b[2J\xe2\x80\xaeb"}', Sort.TEXT))
    assert read.text == '{"a": "\ufffd[2J\ufffdb"}'


def test_what_a_visitor_does_not_see_is_left_out() -> None:
    unseen = "".join(
        f"<p {how}>UNSEEN</p>"
        for how in ("hidden", 'style="DISPLAY : none"', "aria-hidden='true'", 'style="left:-999px"')
    )
    body = article("A", FACT * 10, more=f"<!-- UNSEEN -->{unseen}<p>{FACT * 3} Seen.</p>")
    read = read_page(body.encode(), "utf-8")
    assert "UNSEEN" not in read.text
    assert "Seen." in read.text


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        ("<html><body><div id=root></div><script>x()</script></body></html>", True),
        (article("A", FACT * 20, more="<script>x()</script>"), False),
        ("<html><body><p>Short and still.</p></body></html>", False),
        ('<html><body><script type="application/ld+json">{}</script></body></html>', False),
    ],
)
def test_pages_that_need_their_scripts(body: str, needs: bool) -> None:
    assert read_page(body.encode(), "").needs_scripts is needs


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("Grüße".encode("utf-16"), "", "Grüße"),
        ("﻿Grüße".encode(), "latin-1", "Grüße"),
        ("Grüße".encode(), "no-such-charset", "Grüße"),
        ("Grüße".encode(), "punycode", "Grüße"),
        ("Grüße".encode(), "zlib", "Grüße"),
        ("Grüße".encode(), "\x00\ud800"[:1], "Grüße"),
        ('<meta charset="windows-1251">Привет'.encode("cp1251"), "",
         '<meta charset="windows-1251">Привет'),
    ],
)  # fmt: skip
def test_encodings_that_are_told_wrong_or_not_at_all(body: bytes, charset: str, text: str) -> None:
    assert decoded(body, charset) == text


def test_bytes_that_are_no_text_in_any_encoding_are_still_shown() -> None:
    assert "ok" in decoded(b"ok \xff\xfe\xfa\x80 " * 50, "utf-8")


def test_an_encoding_that_takes_hours_is_not_tried() -> None:
    before = time.process_time()
    decoded(b"a" * 200_000 + b"-" + b"z" * 200_000, "punycode")
    assert time.process_time() - before < 5
