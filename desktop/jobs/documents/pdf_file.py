"""Writes a document as PDF: A4, one column, page numbers, an outline of its headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from desktop.core.documents.markdown import (
    Block,
    Code,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quote,
    Rule,
    Span,
    Table,
    title_of,
    words,
)
from desktop.jobs.documents.fonts import BOLD, REGULAR, Fonts, find_fonts, letters_in
from desktop.jobs.documents.pictures import Pictures
from shared.look import LIGHT

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN, BOTTOM = 24.0, 22.0
"""Millimetres, as all lengths here."""
TEXT, SMALL, CODE = 10.5, 8.5, 9.0
"""Points, as all sizes of letters."""
LINE = 5.6
HEADINGS = {1: 20.0, 2: 15.0, 3: 12.5}
HEADING_REST = 11.0
INDENT = 6.5
GAP, ITEM_GAP = 2.6, 1.0
"""After a paragraph; after one in a list."""
KEEP = 30.0
"""A heading with less room below it goes to the next page."""
DOTS_PER_MM = 6.0
CELL_ROOM = 4.6
"""Of a cell beside its text."""
ROWS_MEASURED_MAX = 300
BULLETS = ("•", "◦", "▪")
FAMILY, MONO = "text", "mono"
GROUND = "#F5F3EF"
TITLE_CHARS_MAX = 200
BOX = "\u25a1"


def write_pdf(
    blocks: Sequence[Block], pictures: Pictures, *, fonts: Fonts | None = None
) -> tuple[bytes, str]:
    """Write a document.

    Returns:
        The file, and the letters that no font has: each stands as a box.
    """
    writer = _Writer(pictures, fonts or find_fonts(), _letters(blocks))
    writer.pdf.set_title(title_of(blocks)[:TITLE_CHARS_MAX])
    writer.blocks(blocks)
    return bytes(writer.pdf.output()), writer.lacking


class _Writer:
    """One document under way."""

    def __init__(self, pictures: Pictures, fonts: Fonts, letters: frozenset[str]) -> None:
        from fpdf import FPDF

        class Paged(FPDF):
            def footer(self) -> None:
                self.set_y(-14)
                self.set_font(FAMILY, size=SMALL)
                self.set_text_color(LIGHT.muted)
                self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="C")

        self.pdf: FPDF = Paged(format="A4")
        self._pictures = pictures
        self._left = MARGIN
        self._dress(fonts, letters)
        pdf = self.pdf
        pdf.set_margins(MARGIN, MARGIN, MARGIN)
        pdf.c_margin = 0.0
        pdf.set_auto_page_break(auto=True, margin=BOTTOM)
        pdf.add_page()
        pdf.set_y(MARGIN)

    def _dress(self, fonts: Fonts, letters: frozenset[str]) -> None:
        """Take the faces; of other fonts those that have what ours lack."""
        pdf = self.pdf
        pdf.add_font(FAMILY, "", REGULAR)
        pdf.add_font(FAMILY, "B", BOLD)
        pdf.add_font(FAMILY, "I", fonts.italic or REGULAR)
        pdf.add_font(FAMILY, "BI", fonts.bold_italic or BOLD)
        pdf.add_font(MONO, "", fonts.mono or REGULAR)
        missing = {letter for letter in letters if ord(letter) not in letters_in(REGULAR)}
        fallbacks = [FAMILY]
        for number, path in enumerate(fonts.others):
            found = {letter for letter in missing if ord(letter) in letters_in(path)}
            if found:
                pdf.add_font(f"other{number}", "", path)
                fallbacks.append(f"other{number}")
                missing -= found
        pdf.set_fallback_fonts(fallbacks, exact_match=False)
        self.lacking = "".join(sorted(missing))
        self._boxes = str.maketrans(dict.fromkeys(self.lacking, BOX))

    def blocks(self, blocks: Sequence[Block], depth: int = 0) -> None:
        for block in blocks:
            self._block(block, depth)

    def _block(self, block: Block, depth: int) -> None:
        match block:
            case Heading():
                self._heading(block)
            case Paragraph():
                self._spans(block.spans)
                self._space(ITEM_GAP if depth else GAP)
            case Code():
                self._code(block.text)
            case Rule():
                self._rule()
            case Quote():
                self._quote(block, depth)
            case Listing():
                self._listing(block, depth)
            case Table():
                self._table(block)
            case Picture():
                self._picture(block)

    def _heading(self, heading: Heading) -> None:
        pdf = self.pdf
        size = HEADINGS.get(heading.level, HEADING_REST)
        if pdf.get_y() > MARGIN + 1:
            self._space(size * 0.32 if heading.level > 1 else GAP)
        if pdf.h - BOTTOM - pdf.get_y() < KEEP:
            pdf.add_page()
        told = self._text(words(heading.spans))
        pdf.start_section(told[:TITLE_CHARS_MAX] or " ", level=0)
        pdf.set_font(FAMILY, "B", size)
        pdf.set_text_color(LIGHT.text)
        pdf.multi_cell(0, size * 0.46, told, align="L", new_x="LMARGIN", new_y="NEXT")
        self._space(1.2 if heading.level > 2 else 2.2)

    def _spans(self, spans: Sequence[Span], *, color: str = LIGHT.text) -> None:
        pdf = self.pdf
        pdf.set_x(pdf.l_margin)
        for span in spans:
            style = "B" * span.is_bold + "I" * span.is_italic + "S" * span.is_struck
            family, size = (MONO, TEXT - 1) if span.is_code else (FAMILY, TEXT)
            style = style.replace("B", "").replace("I", "") if span.is_code else style
            pdf.set_font(family, style + "U" * bool(span.href), size)
            pdf.set_text_color(LIGHT.accent if span.href else color)
            pdf.write(LINE, self._text(span.text), link=span.href)
        pdf.ln(LINE)

    def _listing(self, listing: Listing, depth: int) -> None:
        pdf = self.pdf
        for number, item in enumerate(listing.items):
            if pdf.h - BOTTOM - pdf.get_y() < LINE:
                pdf.add_page()
            top = pdf.get_y()
            is_bullet = listing.start is None
            mark = BULLETS[min(depth, 2)] if is_bullet else f"{(listing.start or 0) + number}."
            pdf.set_font(FAMILY, "", TEXT)
            pdf.set_text_color(LIGHT.muted)
            room = max(INDENT, pdf.get_string_width(mark) + 2.5)
            pdf.set_x(pdf.l_margin)
            pdf.cell(room - 2.0, LINE, mark, align="L" if is_bullet else "R")
            with self._indented(room):
                pdf.set_y(top)
                self.blocks(item or (Paragraph(()),), depth + 1)
        if not depth:
            self._space(GAP - ITEM_GAP)

    def _quote(self, quote: Quote, depth: int) -> None:
        pdf = self.pdf
        top, page = pdf.get_y(), pdf.page
        with self._indented(INDENT):
            for block in quote.blocks:
                if isinstance(block, Paragraph):
                    self._spans(block.spans, color=LIGHT.muted)
                    self._space(GAP)
                else:
                    self._block(block, depth)
        # The line beside a quote stands on the page that it ends on.
        start = top if pdf.page == page else MARGIN
        end = pdf.get_y() - GAP
        if end > start:
            pdf.set_fill_color(LIGHT.accent)
            pdf.rect(pdf.l_margin + 1, start + 0.6, 0.9, end - start - 0.6, style="F")

    def _code(self, text: str) -> None:
        from fpdf.enums import WrapMode

        pdf = self.pdf
        pdf.set_font(MONO, "", CODE)
        pdf.set_text_color(LIGHT.text)
        pdf.set_fill_color(GROUND)
        pdf.set_x(pdf.l_margin)
        pdf.multi_cell(
            0, CODE * 0.5, self._text(text.expandtabs(4)) or " ", align="L", fill=True,
            padding=(2, 3), wrapmode=WrapMode.CHAR, new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
        self._space(GAP + 0.8)

    def _rule(self) -> None:
        pdf = self.pdf
        self._space(1.5)
        pdf.set_draw_color(LIGHT.line)
        pdf.set_line_width(0.3)
        pdf.line(pdf.l_margin, pdf.get_y(), pdf.w - pdf.r_margin, pdf.get_y())
        self._space(3.5)

    def _table(self, table: Table) -> None:
        from fpdf.enums import TableBordersLayout
        from fpdf.fonts import FontFace

        pdf = self.pdf
        pdf.set_font(FAMILY, "", TEXT - 1)
        pdf.set_text_color(LIGHT.text)
        pdf.set_draw_color(LIGHT.line)
        pdf.set_line_width(0.3)
        self._space(0.8)
        with pdf.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=self._widths(table),
            headings_style=FontFace(emphasis="BOLD", fill_color=GROUND),
            line_height=LINE - 0.4,
            padding=(1.1, 2),
            text_align=tuple(align.upper() for align in table.aligns),
            width=pdf.epw,
            align="LEFT",
        ) as made:
            for cells in (table.head, *table.rows):
                row = made.row()
                for spans in cells[: len(table.head)]:
                    row.cell(self._text(words(spans)))
                for _ in range(len(table.head) - len(cells)):
                    row.cell("")
        self._space(GAP + 1.5)

    def _widths(self, table: Table) -> tuple[float, ...]:
        """Give each column what its longest word needs, and share the rest by what cells hold."""
        rows = (table.head, *table.rows[:ROWS_MEASURED_MAX])
        columns = [
            [self._text(words(row[n])) for row in rows if n < len(row)]
            for n in range(len(table.head))
        ]
        measure = self.pdf.get_string_width
        self.pdf.set_font(FAMILY, "B", TEXT - 1)
        room = self.pdf.epw
        whole = [max(map(measure, cells)) + CELL_ROOM for cells in columns]
        least = [
            min(max(measure(w) for cell in cells for w in (cell.split() or [""])), room / 2)
            + CELL_ROOM
            for cells in columns
        ]
        self.pdf.set_font(FAMILY, "", TEXT - 1)
        if sum(least) >= room:
            return tuple(least)
        part = min(1.0, (room - sum(least)) / max(0.1, sum(whole) - sum(least)))
        widths = [low + (high - low) * part for low, high in zip(least, whole, strict=True)]
        return (widths[0] + max(0.0, room - sum(widths)), *widths[1:])

    def _picture(self, picture: Picture) -> None:
        pdf = self.pdf
        seen = self._pictures.see(picture.source)
        if seen is None:
            told = f"[{picture.words or 'picture'}]"
            self._spans((Span(text=told, is_italic=True),), color=LIGHT.muted)
            self._space(GAP)
            return
        width = min(pdf.epw, seen.width / DOTS_PER_MM)
        height = width * seen.height / seen.width
        tallest = pdf.h - MARGIN - BOTTOM - 12
        if height > tallest:
            width, height = width * tallest / height, tallest
        if pdf.get_y() + height > pdf.h - BOTTOM:
            pdf.add_page()
        pdf.image(str(seen.path), x=pdf.l_margin, w=width, h=height, alt_text=picture.words)
        self._space(1.0)
        if picture.words:
            pdf.set_font(FAMILY, "", SMALL)
            pdf.set_text_color(LIGHT.muted)
            pdf.multi_cell(
                0, 4.2, self._text(picture.words), align="L", new_x="LMARGIN", new_y="NEXT"
            )
        self._space(GAP)

    @contextmanager
    def _indented(self, by: float) -> Iterator[None]:
        pdf = self.pdf
        before = pdf.l_margin
        # Never so far that nothing fits beside the right margin.
        pdf.set_left_margin(min(before + by, pdf.w / 2))
        try:
            yield
        finally:
            pdf.set_left_margin(before)
            pdf.set_x(before)

    def _space(self, height: float) -> None:
        self.pdf.set_y(self.pdf.get_y() + height)

    def _text(self, text: str) -> str:
        return text.translate(self._boxes)


def _letters(blocks: Sequence[Block]) -> frozenset[str]:
    """Collect all letters that are to be written."""
    return frozenset(
        letter for block in blocks for text in _texts(block) for letter in text
    ) - frozenset("\n\t")


def _texts(block: Block) -> Iterator[str]:
    match block:
        case Heading() | Paragraph():
            yield words(block.spans)
        case Code():
            yield block.text
        case Quote():
            yield from _all_texts(block.blocks)
        case Listing():
            for item in block.items:
                yield from _all_texts(item)
        case Table():
            for row in (block.head, *block.rows):
                yield from map(words, row)
        case Picture():
            yield block.words
        case Rule():
            pass


def _all_texts(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        yield from _texts(block)
