"""Brings the catalogues of the windows up to date: extract, merge, compile (`make words`).

A translator edits `desktop/gui/locale/<language>/LC_MESSAGES/deskhand.po`; the compiled file beside
it is kept in the repository, so that an installation needs no build step.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "desktop" / "gui"
LOCALE = SOURCES / "locale"
KEYWORDS = {"tr": None, "trn": (1, 2)}
LANGUAGES = ("ru",)
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)


def extract() -> Catalog:
    """Return all texts of the windows, in English."""
    catalog = Catalog(project="Deskhand", charset="utf-8")
    # Babel's pair of callables takes any file; the second argument names the extractor.
    found = extract_from_dir(SOURCES, method_map=[("**.py", "python")], keywords=KEYWORDS)
    for name, _line, message, comments, _context in found:
        catalog.add(message, locations=[(name, 0)], auto_comments=comments)
    return catalog


def place(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "deskhand.po"


def load(language: str) -> Catalog:
    path = place(language)
    if not path.exists():
        return Catalog(locale=language, project="Deskhand", charset="utf-8")
    with path.open("rb") as file:
        catalog = read_po(file, locale=language)
    # Without dates of their own they would carry the time of this moment.
    catalog.creation_date = catalog.revision_date = UNDATED
    return catalog


def compiled(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def written(catalog: Catalog) -> bytes:
    """Write a catalogue so that the same words make the same bytes."""
    file = io.BytesIO()
    write_po(file, catalog, omit_header=False, sort_output=True, width=100, no_location=True)
    lines = file.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if b"-Date:" not in line and b"Generated-By" not in line)


def main() -> int:
    template = extract()
    for language in LANGUAGES:
        catalog = load(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        path = place(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(catalog))
        fresh = load(language)
        path.with_suffix(".mo").write_bytes(compiled(fresh))
        missing = [message.id for message in fresh if message.id and not all_told(message.string)]
        print(f"{language}: {len(fresh)} texts, {len(missing)} without a translation")
    return 0


def all_told(string: str | tuple[str, ...] | list[str] | None) -> bool:
    """Whether a text is translated, in all its plural forms."""
    if string is None or isinstance(string, str):
        return bool(string)
    return bool(string) and all(string)


if __name__ == "__main__":
    sys.exit(main())
