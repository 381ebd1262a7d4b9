"""What a hub that has people already becomes when it learns of roles and sign-ins."""

from __future__ import annotations

import sqlite3

from hub.store import sign_ins
from hub.store.database import create_people


def test_the_one_who_was_here_first_becomes_the_owner() -> None:
    connection = sqlite3.connect(":memory:")
    create_people(connection)
    connection.executemany(
        "INSERT INTO people (person_id, name, created_ms) VALUES (?, ?, 0)",
        [("019b", "ben"), ("019a", "anna"), ("019c", "cleo")],
    )
    sign_ins.create(connection)
    roles = dict(connection.execute("SELECT name, role FROM people").fetchall())
    assert roles == {"anna": "owner", "ben": "member", "cleo": "member"}
    connection.close()


def test_a_hub_without_people_learns_of_roles_too() -> None:
    connection = sqlite3.connect(":memory:")
    create_people(connection)
    sign_ins.create(connection)
    assert connection.execute("SELECT count(*) FROM people").fetchone() == (0,)
    connection.close()
