"""How much is in the store; numbers only."""

from __future__ import annotations

import sqlite3


def statistics(connection: sqlite3.Connection) -> dict[str, int]:
    """Count rows by table, pages and bytes."""
    names = connection.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        " and name not like '%\\_words%' escape '\\' order by name"
    ).fetchall()
    counted = {
        # Names come from the schema, which is ours.
        name: int(connection.execute(f'select count(*) from "{name}"').fetchone()[0])  # noqa: S608
        for (name,) in names
    }
    pages = int(connection.execute("pragma page_count").fetchone()[0])
    size = int(connection.execute("pragma page_size").fetchone()[0])
    free = int(connection.execute("pragma freelist_count").fetchone()[0])
    return counted | {"pages": pages, "free pages": free, "bytes": pages * size}
