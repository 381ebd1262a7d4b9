"""PDF and office documents as text, by markitdown; their plug-ins and addresses are not used."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

from markitdown import DocumentConverter, StreamInfo
from markitdown.converters import DocxConverter, PdfConverter, PptxConverter, XlsxConverter

from desktop.core.web.sorts import Sort
from desktop.jobs.web.reader.told import Told, told

UNPACKED_BYTES_MAX = 150 * 1024**2
ENTRIES_MAX = 5_000
_CONVERTERS: Mapping[Sort, Callable[[], DocumentConverter]] = {
    Sort.PDF: PdfConverter,
    Sort.DOCX: DocxConverter,
    Sort.XLSX: XlsxConverter,
    Sort.PPTX: PptxConverter,
}


def read_document(body: bytes, sort: Sort) -> Told:
    """Read a document."""
    if sort is not Sort.PDF and (fault := _fault_of(body)):
        return Told(fault=fault)
    info = StreamInfo(extension=f".{sort.value}")
    result = _CONVERTERS[sort]().convert(io.BytesIO(body), info)
    text = result.markdown.strip()
    return told(result.title or _first_line(text), text)


def _fault_of(body: bytes) -> str:
    """Say what is wrong with a packed document before it is unpacked; empty when nothing is."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            entries = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return "it is broken (no archive)"
    if len(entries) > ENTRIES_MAX or sum(one.file_size for one in entries) > UNPACKED_BYTES_MAX:
        return "it unpacks to more than a document may"
    return ""


def _first_line(text: str) -> str:
    return next((line.strip("#| ").strip() for line in text.splitlines() if line.strip("#| -")), "")
