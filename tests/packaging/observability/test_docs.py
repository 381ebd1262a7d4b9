"""The page on watching tells the figures as they are."""

from __future__ import annotations

from hub.frontends.metrics.catalogue import FIGURES
from tests.packaging.observability.stack import DOCS

BEGIN = "<!-- figures: written from hub/frontends/metrics/catalogue.py -->\n"
END = "<!-- end of figures -->\n"


def table() -> str:
    """What stands between the marks: run this module to write it."""
    lines = ["| figure | sort | labels | what it tells |", "|---|---|---|---|"]
    for group in dict.fromkeys(figure.group for figure in FIGURES.values()):
        lines.append(f"| **{group}** | | | |")
        lines += [
            f"| `{figure.name}` | {figure.sort} | {', '.join(figure.labels)} | {figure.help} |"
            for figure in FIGURES.values()
            if figure.group == group
        ]
    return "\n".join(lines) + "\n"


def test_the_table_of_figures_is_the_catalogue() -> None:
    text = DOCS.read_text()
    told = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert told == table()


def write() -> None:
    head, _, rest = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(head + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    write()
