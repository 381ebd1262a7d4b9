"""Thin out the data of Qt's ICU: the words of 700 languages we have no window in.

A third of the package would be names of currencies, regions and units. Qt has its own for what it
shows; from ICU it takes sorting, text breaks, upper and lower case, and old encodings. Those
stay whole, as does all that is not of one language, and everything of the languages we speak.

The library keeps its size and its place in memory; what is left out becomes zeros, which packing
removes, and its name is taken from the table of contents, as if it had never been there.
"""

from __future__ import annotations

import struct
from pathlib import Path

MAGIC = b"\xda\x27"
FORMAT = b"CmnD"
THINNED = ("curr", "lang", "region", "unit", "zone", "rbnf", "translit", "brkitr")
"""Folders whose languages are thinned out; the one without a name holds basic formats of each."""
SPOKEN = (
    "en", "ru", "root", "res_index", "pool",
    "char", "word", "line", "sent", "title",
)  # fmt: skip
"""Our languages, what all share, and the rules for breaking text."""


def thin(library: Path) -> int:
    """Rewrite libicudata in place; return how many bytes became zeros.

    Raises:
        ValueError: the file holds no ICU data as it is known here.
    """
    content = bytearray(library.read_bytes())
    table, count = find_table(content)
    entries = [
        struct.unpack_from("<II", content, table + 4 + 8 * number) for number in range(count)
    ]
    names = [name_at(content, table + place) for place, _ in entries]
    kept = []
    freed = 0
    ends = [start for _, start in entries[1:]] + [entries[-1][1]]
    for (name_place, start), end, name in zip(entries, ends, names, strict=True):
        # Nothing tells where the last one ends, so it stays.
        if is_kept(name) or end == start:
            kept.append((name_place, start))
        else:
            content[table + start : table + end] = bytes(end - start)
            freed += end - start
    struct.pack_into("<I", content, table, len(kept))
    for number, entry in enumerate(kept):
        struct.pack_into("<II", content, table + 4 + 8 * number, *entry)
    library.write_bytes(content)
    return freed


def find_table(content: bytearray) -> tuple[int, int]:
    """Find where the table of contents begins and how many entries it has."""
    place = content.find(FORMAT)
    while place >= 0:
        # A header: its size, the magic, the sizes of what follows, then the format's name.
        begin = place - 12
        if bytes(content[begin + 2 : begin + 4]) == MAGIC:
            (header_bytes,) = struct.unpack_from("<H", content, begin)
            table = begin + header_bytes
            (count,) = struct.unpack_from("<I", content, table)
            return table, count
        place = content.find(FORMAT, place + 1)
    raise ValueError("there is no ICU data in this library")


def name_at(content: bytearray, place: int) -> str:
    return content[place : content.index(0, place)].decode("ascii")


def is_kept(name: str) -> bool:
    """Say whether an item stays, by its name: "icudt73l/curr/de_AT.res"."""
    folder, _, item = name.partition("/")[2].rpartition("/")
    if folder not in THINNED:
        return True
    stem = item.partition(".")[0].split("_")[0] if not item.startswith("res_") else "res_index"
    return not item.endswith((".res", ".dict", ".brk")) or stem in SPOKEN
