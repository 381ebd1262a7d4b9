"""`deskhand-hub invite` and `approve`: a code on this terminal, and the question who may come in.

On a terminal `invite` waits for the computer and asks; the code stays good when it is left. In a
pipe nobody could answer, so it says where to.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from pydantic import JsonValue

from hub.frontends.entrance import place, powershell_line, shell_line, who
from hub.frontends.rest_client import RestClient
from shared.errors import AppError, NotFound
from shared.plain_text import plain_line

LOOK_SECONDS = 1.0
SPARE_SECONDS = 5.0
"""A code that was spent in its last moment is waited for a little longer."""

Pairing = dict[str, JsonValue]


def invite(client: RestClient, *, person: str | None, is_approved: bool) -> int:
    """Print a code and all that is to be done with it; on a terminal, wait and ask."""
    body: dict[str, JsonValue] = {}
    if person:
        body["person_id"] = _bring_in(client, person)
    code = client.post("/invitations", {**body, "is_approved": is_approved})
    _print_code(code)
    _print_chats(client, body)
    if is_approved:
        return 0
    if not sys.stdin.isatty():
        print("\nWhen it has asked, approve it in the chat, or with: deskhand-hub approve list")
        return 0
    print("\nWaiting for the computer … (Ctrl-C leaves; the code stays valid)", flush=True)
    until = datetime.fromisoformat(str(code["expires_at"]))
    wait_and_ask(client, str(code["person_id"]), until)
    return 0


def wait_and_ask(
    client: RestClient,
    person_id: str,
    until: datetime,
    *,
    answer: Callable[[str], str] = input,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> bool:
    """Wait until a computer of a person asks, and let whoever sits here decide.

    Args:
        client: of the hub.
        person_id: whose computer it is.
        until: when the code ends.
        answer: puts a question, returns what was typed.
        sleep: waits.
        now: the time.

    Returns:
        Whether one was let in, here or elsewhere.
    """
    before = {str(p["pairing_id"]) for p in _pairings(client) if p["state"] != "waiting"}
    while (until - now()).total_seconds() > -SPARE_SECONDS:
        for pairing in _pairings(client):
            is_ours = pairing["person_id"] == person_id and pairing["kind"] == "worker"
            if not is_ours or str(pairing["pairing_id"]) in before:
                continue
            return _ask_about(client, pairing, answer)
        sleep(LOOK_SECONDS)
    print("The code has expired; nobody came with it.")
    return False


def _ask_about(client: RestClient, pairing: Pairing, answer: Callable[[str], str]) -> bool:
    if pairing["state"] == "waiting":
        typed = answer(f"{described(pairing)} Approve? [y/N] ").strip().casefold()
        try:
            return decide(client, str(pairing["pairing_id"]), is_approved=typed in ("y", "yes"))
        except AppError as error:
            print(plain_line(error.message))
            return False
    print(_ended(pairing))
    return pairing["state"] in ("approved", "joined")


def list_waiting(client: RestClient) -> int:
    """Print who waits to be let in."""
    waiting = [pairing for pairing in _pairings(client) if pairing["state"] == "waiting"]
    for pairing in waiting:
        print(f"#{pairing['short']}  {described(pairing)}")
    if not waiting:
        print("Nobody waits to be let in.")
    return 0


def decide_named(client: RestClient, name: str, *, is_approved: bool) -> int:
    """Let in, or turn away, by the four characters of `list`.

    Raises:
        NotFound: `join_unknown`; else as the hub says.
    """
    wanted = name.removeprefix("#")
    # A decided one is found, too: the hub then says whose decision it was.
    names = {wanted, wanted.upper()}
    found = [p for p in _pairings(client) if names & {p["short"], p["pairing_id"]}]
    if not found:
        raise NotFound(
            "join_unknown",
            f"Nobody called #{wanted[:40]} waits to join.",
            "`deskhand-hub approve list` shows who does.",
        )
    newest = max(found, key=lambda p: (p["state"] == "waiting", str(p["pairing_id"])))
    decide(client, str(newest["pairing_id"]), is_approved=is_approved)
    return 0


def decide(client: RestClient, pairing_id: str, *, is_approved: bool) -> bool:
    verb = "approve" if is_approved else "reject"
    decided = client.post(f"/pairings/{pairing_id}/{verb}")
    print(plain_line(f"{decided['name']} was {'let in' if is_approved else 'turned away'}."))
    return is_approved


def described(pairing: Pairing) -> str:
    """Who wants in, as one line that is safe to print."""
    name = str(pairing["name"])
    if pairing["kind"] == "account":
        where = f"{pairing['account']} on {place(str(pairing['frontend']))}"
        return plain_line(f"{name} ({where}) wants to use this hub.")
    kinds = pairing["kinds"]
    assert isinstance(kinds, list)
    computer = who(name, str(pairing["platform"]), [str(kind) for kind in kinds])
    return plain_line(f"{computer} wants to join. Check words: {pairing['words']}.")


def _ended(pairing: Pairing) -> str:
    name, by = pairing["name"], pairing["decided_by"]
    match pairing["state"]:
        case "rejected":
            told = f"{name} was turned away by {by}."
        case "expired":
            told = f"{name} was not let in: nobody answered in time."
        case _:
            told = f"{name} was let in by {by}."
    return plain_line(told)


def _pairings(client: RestClient) -> list[Pairing]:
    listed = client.get("/pairings")["pairings"]
    assert isinstance(listed, list)
    return [pairing for pairing in listed if isinstance(pairing, dict)]


def _bring_in(client: RestClient, name: str) -> JsonValue:
    person = client.post("/people", {"name": name})
    print(f"{plain_line(str(person['name']))} may use this hub now. Their key, shown once:\n")
    print(f"  {person['key']}\n")
    print(f"They chat with: HUB_KEY=KEY deskhand-hub chat --hub {client.hub_url}\n")
    return person["person_id"]


def _print_code(told: dict[str, JsonValue]) -> None:
    code, hub_url = str(told["code"]), str(told["hub_url"])
    print(f"Code: {code}   (works once, for 10 minutes)\n")
    print("On the computer to be connected:\n")
    print(f"  deskhand pair {code} --hub {hub_url}\n  deskhand --headless\n")
    print(f"Where Deskhand is not installed yet, open {hub_url}/download#{code}, or run\n")
    print(f"  Linux, macOS:  {shell_line(hub_url, code)}")
    print(f"  Windows:       {powershell_line(hub_url, code)}")


def _print_chats(client: RestClient, body: dict[str, JsonValue]) -> None:
    """Print how to open each chat, as its person; the code in the link is for one account."""
    links = chat_links(client)
    if not links:
        return
    told = client.post("/invitations", {**body, "purpose": "account"})
    for name, link in links.items():
        # A frontend of others made it: nothing in it is trusted.
        address = plain_line(link.replace("{code}", str(told["code"])))
        print(f"\nTo chat on {place(name)} (works once, for 10 minutes):\n\n  {address}")
        if sys.stdout.isatty():
            print_qr(address, sys.stdout)


def chat_links(client: RestClient) -> dict[str, str]:
    """Where each frontend opens its chat, with "{code}" for what is said first."""
    frontends = client.get("/status")["frontends"]
    assert isinstance(frontends, list)
    return {
        str(frontend["name"]): str(frontend["chat_link"])
        for frontend in frontends
        if isinstance(frontend, dict) and "{code}" in str(frontend.get("chat_link", ""))
    }


def print_qr(text: str, target: TextIO) -> None:
    """Draw a text as a QR code in half blocks."""
    import segno

    target.write("\n")
    segno.make(text, error="l", micro=False).terminal(out=target, compact=True)
