"""What is to be said to a hub of this machine's own, with its owner's key; blocks.

The hub is another program: it is spoken to over its API like any other.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from desktop.link.hub_post import ask_for, odd, post
from desktop.store import facts
from shared.database import Database
from shared.errors import AppError, NotFound, Unavailable
from shared.messages import NAME_CHARS_MAX

LOOKS_MAX = 40
LOOK_SECONDS = 0.5
PERSON = "local_hub_person"
"""The fact that tells who the person of this machine is on its own hub."""


def own_code(base: str, admin_key_file: Path, database: Database, person_name: str = "") -> str:
    """Return a code that lets this machine in without asking anybody.

    The first call brings the person in, by the name they have on this system.

    Raises:
        AppError: the hub's no.
        Unavailable: `local_hub_key_missing`.
    """
    key = _admin_key(admin_key_file)
    person_id = _person(base, key, database, person_name)
    body = {"person_id": person_id, "is_approved": True}
    return _text(post(base, "/invitations", body, token=key), "code")


def chat_link(base: str, admin_key_file: Path, database: Database, frontend: str) -> str:
    """Return the address that opens a chat as this machine's person, good once.

    Raises:
        AppError: the hub's no, or why that frontend does not work, as it says itself.
        NotFound: `frontend_missing`.
    """
    key = _admin_key(admin_key_file)
    told = ask_for(base, "/status", token=key).get("frontends")
    frontends = told if isinstance(told, list) else []
    found = [f for f in frontends if isinstance(f, dict) and f.get("name") == frontend]
    if not found:
        raise NotFound("frontend_missing", f"The hub on this computer has no {frontend}.")
    link, error = str(found[0].get("chat_link", "")), str(found[0].get("error", ""))
    if "{code}" not in link:
        raise Unavailable(
            "frontend_not_ready",
            error or f"{frontend} is still being reached.",
            str(found[0].get("hint", "")),
            retryable=not error,
        )
    person_id = _person(base, key, database, "")
    body = {"person_id": person_id, "purpose": "account"}
    return link.replace("{code}", _text(post(base, "/invitations", body, token=key), "code"))


def dashboard_link(base: str, admin_key_file: Path, database: Database) -> str:
    """Return the address that signs this machine's person in to the dashboard, good once.

    Raises:
        AppError: the hub's no.
        Unavailable: `local_hub_key_missing`.
    """
    key = _admin_key(admin_key_file)
    body = {"person_id": _person(base, key, database, "")}
    url = _text(post(base, "/sign-in-links", body, token=key), "url")
    if not url.startswith(f"{base}/"):
        # It is opened in a browser: nothing but the hub's own page may be.
        raise odd(201)
    return url


def wait_for_link(
    base: str,
    admin_key_file: Path,
    database: Database,
    frontend: str,
    sleep: Callable[[float], None],
) -> str:
    """Return what `chat_link` returns, as soon as that frontend is there.

    Raises:
        AppError: as `chat_link`.
    """
    for _ in range(LOOKS_MAX):
        try:
            return chat_link(base, admin_key_file, database, frontend)
        except AppError as error:
            if not error.retryable:
                raise
        sleep(LOOK_SECONDS)
    return chat_link(base, admin_key_file, database, frontend)


def user_name() -> str:
    """Return what the system calls whoever sits here, as people write it."""
    name = ""
    if sys.platform != "win32":
        import os
        import pwd

        try:
            name = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
        except KeyError:
            name = ""
    try:
        return (name.strip() or getpass.getuser())[:NAME_CHARS_MAX]
    except (OSError, KeyError):
        return "me"


def _person(base: str, key: str, database: Database, name: str) -> str:
    known = database.submit(lambda c: facts.get(c, PERSON)).result()
    if known:
        people = ask_for(base, "/people", token=key).get("people")
        if isinstance(people, list) and any(
            isinstance(person, dict) and person.get("person_id") == known for person in people
        ):
            return known
    # It is their own hub: they see all of it.
    told = {"name": name or user_name(), "is_owner": True}
    made = post(base, "/people", told, token=key)
    person_id = _text(made, "person_id")
    database.submit(lambda c: facts.put(c, PERSON, person_id)).result()
    return person_id


def _admin_key(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        raise Unavailable(
            "local_hub_key_missing",
            f"The key of this computer's own hub cannot be read: {file}.",
            "Start Deskhand again; the hub makes a new one.",
        ) from None


def _text(told: dict[str, object], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise odd(200)
    return value
