"""Writes a document as DOCX, by styles that Word calls its own: people can restyle it."""

# ruff: noqa: SLF001 - for links and numbers the library has no other door

from __future__ import annotations

import io
from collections.abc import Sequence
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
)
from desktop.jobs.documents.pictures import Pictures

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph as DocxParagraph

LEVELS_MAX = 3
"""Of lists, for which the template has styles; deeper ones are written at the last."""
MONO = "Consolas"
LINK_COLOR = "2F5FD0"
MUTED = "63666B"
LINE = "E3E0DA"
GROUND = "F5F3EF"
PICTURE_WIDTH_CM_MAX = 16.0
PICTURE_HEIGHT_CM_MAX = 20.0
DOTS_PER_CM = 60.0
TITLE_CHARS_MAX = 200


def write_docx(blocks: Sequence[Block], pictures: Pictures) -> bytes:
    """Write a document."""
    import docx
    from docx.shared import Cm, Pt

    document = docx.Document()
    for section in document.sections:
        section.page_width, section.page_height = Cm(21.0), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.5)
        section.top_margin = section.bottom_margin = Cm(2.3)
    normal = document.styles["Normal"]
    normal.font.size = Pt(11)
    normal.paragraph_format.space_after = Pt(7)
    document.core_properties.title = title_of(blocks)[:TITLE_CHARS_MAX]
    document.core_properties.author = ""
    document.core_properties.comments = ""
    _Writer(document, pictures).blocks(blocks)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


class _Writer:
    """One document under way."""

    def __init__(self, document: Document, pictures: Pictures) -> None:
        self._document = document
        self._pictures = pictures

    def blocks(self, blocks: Sequence[Block], depth: int = 0, style: str = "") -> None:
        for block in blocks:
            self._block(block, depth, style)

    def _block(self, block: Block, depth: int, style: str) -> None:
        match block:
            case Heading():
                made = self._document.add_heading(level=min(block.level, 9))
                self._spans(made, block.spans)
            case Paragraph():
                self._spans(self._document.add_paragraph(style=style or None), block.spans)
            case Code():
                self._code(block.text)
            case Rule():
                _edge(self._document.add_paragraph(), "bottom", LINE)
            case Quote():
                self.blocks(block.blocks, depth, "Quote")
            case Listing():
                self._listing(block, depth)
            case Table():
                self._table(block)
            case Picture():
                self._picture(block)

    def _listing(self, listing: Listing, depth: int) -> None:
        level = min(depth + 1, LEVELS_MAX)
        suffix = f" {level}" if level > 1 else ""
        bullet, number = f"List Bullet{suffix}", f"List Number{suffix}"
        numbering = self._numbering(number, listing.start) if listing.start is not None else 0
        for item in listing.items:
            first, *rest = item or (Paragraph(()),)
            if not isinstance(first, Paragraph):
                first, rest = Paragraph(()), list(item)
            made = self._document.add_paragraph(style=number if numbering else bullet)
            self._spans(made, first.spans)
            if numbering:
                properties = made._p.get_or_add_pPr().get_or_add_numPr()
                properties.get_or_add_ilvl().val = 0
                properties.get_or_add_numId().val = numbering
            self.blocks(rest, depth + 1, f"List Continue{suffix}")

    def _numbering(self, style: str, start: int) -> int:
        """Make numbers that begin anew: Word goes on counting through all lists of a style."""
        numbering = self._document.part.numbering_part.element
        style_properties = self._document.styles[style].element.pPr
        by_style = style_properties.numPr.numId.val
        abstract = numbering.num_having_numId(by_style).abstractNumId.val
        made = numbering.add_num(abstract)
        made.add_lvlOverride(ilvl=0).add_startOverride(start)
        return int(made.numId)

    def _code(self, text: str) -> None:
        from docx.shared import Pt

        made = self._document.add_paragraph()
        made.paragraph_format.left_indent = Pt(8)
        _shade(made._p.get_or_add_pPr(), GROUND)
        for number, line in enumerate(text.split("\n")):
            run = made.add_run(line)
            if number < text.count("\n"):
                run.add_break()
            run.font.name, run.font.size = MONO, Pt(9.5)

    def _table(self, table: Table) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        aligned = {
            "left": WD_ALIGN_PARAGRAPH.LEFT,
            "center": WD_ALIGN_PARAGRAPH.CENTER,
            "right": WD_ALIGN_PARAGRAPH.RIGHT,
        }
        made = self._document.add_table(rows=0, cols=len(table.head), style="Table Grid")
        for number, row in enumerate((table.head, *table.rows)):
            cells = made.add_row().cells
            for cell, spans, align in zip(cells, row, table.aligns, strict=False):
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = 0
                paragraph.alignment = aligned[align]
                self._spans(paragraph, spans, is_bold=number == 0)
                if number == 0:
                    _shade(cell._tc.get_or_add_tcPr(), GROUND)
        _repeat_head(made.rows[0])
        self._document.add_paragraph().paragraph_format.space_after = 0

    def _picture(self, picture: Picture) -> None:
        from docx.shared import Cm

        seen = self._pictures.see(picture.source)
        if seen is None:
            self._spans(
                self._document.add_paragraph(),
                (Span(text=f"[{picture.words or 'picture'}]", is_italic=True),),
            )
            return
        width = min(PICTURE_WIDTH_CM_MAX, seen.width / DOTS_PER_CM)
        width = min(width, PICTURE_HEIGHT_CM_MAX * seen.width / seen.height)
        self._document.add_picture(str(seen.path), width=Cm(width))
        if picture.words:
            self._document.add_paragraph(picture.words, style="Caption")

    def _spans(
        self, paragraph: DocxParagraph, spans: Sequence[Span], *, is_bold: bool = False
    ) -> None:
        from docx.shared import Pt

        for span in spans:
            made = paragraph.add_run(span.text)
            made.bold = True if span.is_bold or is_bold else None
            made.italic = span.is_italic or None
            made.font.strike = span.is_struck or None
            if span.is_code:
                made.font.name, made.font.size = MONO, Pt(10)
            if span.href:
                _link(paragraph, made._r, span.href)


def _link(paragraph: DocxParagraph, run: object, href: str) -> None:
    """Put a run into a link."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import RGBColor
    from docx.text.run import Run

    told = Run(run, paragraph)  # type: ignore[arg-type]
    told.font.color.rgb = RGBColor.from_string(LINK_COLOR)
    told.font.underline = True
    relation = paragraph.part.relate_to(href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), relation)
    paragraph._p.remove(run)
    link.append(run)
    paragraph._p.append(link)


def _shade(properties: object, color: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", color)):
        shade.set(qn(f"w:{name}"), value)
    properties.append(shade)  # type: ignore[attr-defined]


def _edge(paragraph: DocxParagraph, side: str, color: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    edges, edge = OxmlElement("w:pBdr"), OxmlElement(f"w:{side}")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", color)):
        edge.set(qn(f"w:{name}"), value)
    edges.append(edge)
    paragraph._p.get_or_add_pPr().append(edges)


def _repeat_head(row: object) -> None:
    """Let the head of a table stand again on its next page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(head)  # type: ignore[attr-defined]
