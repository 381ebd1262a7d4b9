"""A web page as text: its article, without what a visitor would not see."""

from __future__ import annotations

import trafilatura
from lxml import etree, html

from desktop.jobs.web.reader.decoding import decoded
from desktop.jobs.web.reader.told import Told, told

ARTICLE_CHARS_MIN = 250
"""An article that is shorter may be what is left of one; all text of the page is looked at then."""
SCRIPTS_CHARS_MAX = 250
"""A page that shows so little, and has scripts, is likely made by them."""
_STYLE = "translate(@style, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ ', 'abcdefghijklmnopqrstuvwxyz')"
_UNSEEN = etree.XPath(
    "//comment() | //template | //*[@hidden] | //*[@aria-hidden='true'] | //*["
    + " or ".join(
        f"contains({_STYLE}, '{told}')"
        for told in (
            "display:none",
            "visibility:hidden",
            "font-size:0",
            "opacity:0;",
            "text-indent:-99",
            "left:-99",
        )
    )
    + "]"
)
"""What is not shown; text hides there that is meant for programs alone. A page has other ways to
hide, so this spares reading and guards nothing."""
_SCRIPTS = etree.XPath("count(//script[not(@type) or contains(@type, 'script') or @type='module'])")
_SILENT = etree.XPath("//script | //style | //noscript | //svg | //head")


def read_page(body: bytes, charset: str) -> Told:
    """Read a page.

    Args:
        body: as it came.
        charset: as the server told it; empty when it did not.
    """
    tree = _tree(decoded(body, charset))
    if tree is None:
        return told("", "")
    scripts = int(_SCRIPTS(tree))
    for element in _UNSEEN(tree):
        _drop(element)
    title, article, published = _article(tree)
    text = article
    if len(article) < ARTICLE_CHARS_MIN:
        everything = _everything(tree)
        text = everything if len(everything) > 2 * len(article) else article
    return told(title, text, published, needs_scripts=scripts > 0 and len(text) < SCRIPTS_CHARS_MAX)


def _tree(text: str) -> html.HtmlElement | None:
    # As bytes again: lxml refuses text whose first line names an encoding.
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_pis=True)
    try:
        return html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _article(tree: html.HtmlElement) -> tuple[str, str, str]:
    found = trafilatura.bare_extraction(
        tree,
        include_comments=False,
        include_tables=True,
        include_images=False,
        include_links=False,
        include_formatting=False,
        with_metadata=True,
    )
    if found is None or isinstance(found, dict):
        return tree.findtext(".//title") or "", "", ""
    title = found.title or tree.findtext(".//title") or ""
    return title, found.text or "", found.date or ""


def _everything(tree: html.HtmlElement) -> str:
    """Return all that a page shows, a line for each piece."""
    for element in _SILENT(tree):
        _drop(element)
    lines = (" ".join(text.split()) for text in tree.itertext() if isinstance(text, str))
    return "\n".join(line for line in lines if line)


def _drop(element: etree._Element) -> None:
    """Remove an element; what stands behind it stays."""
    if element.getparent() is None:
        return
    html.HtmlMixin.drop_tree(element)  # comments have no such method of their own
