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

from hub.frontends.entrance import place, powershell_line, shell_line, who
from shared.api.client import Client
from shared.api.pairings import InvitationShown, NewInvitation, PairingShown
from shared.api.people import NewPerson
from shared.api.sign_ins import NewSignInLink
from shared.errors import AppError, Conflict, NotFound
from shared.pairing import JoinKind, JoinState, Purpose
from shared.plain_text import plain_line

LOOK_SECONDS = 1.0
SPARE_SECONDS = 5.0
"""A code that was spent in its last moment is waited for a little longer."""

FIRST_WORDS = {"matrix": "!start"}
"""Where "/start" does not get through."""


def invite(client: Client, *, person: str | None, is_approved: bool) -> int:
    """Print a code and all that is to be done with it; on a terminal, wait and ask."""
    person_id = _bring_in(client, person) if person else None
    code = client.create_invitation(NewInvitation(person_id=person_id, is_approved=is_approved))
    _print_code(code)
    _print_chats(client, person_id)
    if is_approved:
        return 0
    if not sys.stdin.isatty():
        print("\nWhen it has asked, approve it in the chat, or with: deskhand-hub approve list")
        return 0
    print("\nWaiting for the computer … (Ctrl-C leaves; the code stays valid)", flush=True)
    wait_and_ask(client, code.person_id, code.expires_at)
    return 0


def invite_to_web(client: Client, *, person: str | None) -> int:
    """Print a link that signs a browser into the dashboard."""
    person_id = _person_called(client, person) if person else None
    told = client.create_sign_in_link(NewSignInLink(person_id=person_id))
    print("Open this in a browser (works once, for 10 minutes):\n")
    print(f"  {told.url}")
    if sys.stdout.isatty():
        print_qr(told.url, sys.stdout)
    return 0


def _person_called(client: Client, name: str) -> str:
    """Find a person by name, or bring them in.

    Raises:
        Conflict: `person_ambiguous`.
    """
    named = name.strip().casefold()
    found = [p for p in client.list_people().people if p.name.casefold() == named]
    if len(found) > 1:
        raise Conflict(
            "person_ambiguous",
            f"{len(found)} people are called {name}.",
            "Make the link on their page of the dashboard.",
        )
    return found[0].person_id if found else _bring_in(client, name)


def wait_and_ask(
    client: Client,
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
    pairings = client.list_pairings().pairings
    before = {p.pairing_id for p in pairings if p.state is not JoinState.WAITING}
    while (until - now()).total_seconds() > -SPARE_SECONDS:
        for pairing in client.list_pairings().pairings:
            is_ours = pairing.person_id == person_id and pairing.kind is JoinKind.WORKER
            if not is_ours or pairing.pairing_id in before:
                continue
            return _ask_about(client, pairing, answer)
        sleep(LOOK_SECONDS)
    print("The code has expired; nobody came with it.")
    return False


def _ask_about(client: Client, pairing: PairingShown, answer: Callable[[str], str]) -> bool:
    if pairing.state is JoinState.WAITING:
        typed = answer(f"{described(pairing)} Approve? [y/N] ").strip().casefold()
        try:
            return decide(client, pairing.pairing_id, is_approved=typed in ("y", "yes"))
        except AppError as error:
            print(plain_line(error.message))
            return False
    print(_ended(pairing))
    return pairing.state in (JoinState.APPROVED, JoinState.JOINED)


def list_waiting(client: Client) -> int:
    """Print who waits to be let in."""
    pairings = client.list_pairings().pairings
    waiting = [pairing for pairing in pairings if pairing.state is JoinState.WAITING]
    for pairing in waiting:
        print(f"#{pairing.short}  {described(pairing)}")
    if not waiting:
        print("Nobody waits to be let in.")
    return 0


def decide_named(client: Client, name: str, *, is_approved: bool) -> int:
    """Let in, or turn away, by the four characters of `list`.

    Raises:
        NotFound: `join_unknown`; else as the hub says.
    """
    wanted = name.removeprefix("#")
    # A decided one is found, too: the hub then says whose decision it was.
    names = {wanted, wanted.upper()}
    pairings = client.list_pairings().pairings
    found = [p for p in pairings if names & {p.short, p.pairing_id}]
    if not found:
        raise NotFound(
            "join_unknown",
            f"Nobody called #{wanted[:40]} waits to join.",
            "`deskhand-hub approve list` shows who does.",
        )
    newest = max(found, key=lambda p: (p.state is JoinState.WAITING, p.pairing_id))
    decide(client, newest.pairing_id, is_approved=is_approved)
    return 0


def decide(client: Client, pairing_id: str, *, is_approved: bool) -> bool:
    decided = (client.approve_pairing if is_approved else client.reject_pairing)(pairing_id)
    print(plain_line(f"{decided.name} was {'let in' if is_approved else 'turned away'}."))
    return is_approved


def described(pairing: PairingShown) -> str:
    """Who wants in, as one line that is safe to print."""
    if pairing.kind is JoinKind.ACCOUNT:
        where = f"{pairing.account} on {place(pairing.frontend)}"
        return plain_line(f"{pairing.name} ({where}) wants to use this hub.")
    computer = who(pairing.name, pairing.platform, list(pairing.kinds))
    return plain_line(f"{computer} wants to join. Check words: {pairing.words}.")


def _ended(pairing: PairingShown) -> str:
    name, by = pairing.name, pairing.decided_by
    match pairing.state:
        case JoinState.REJECTED:
            told = f"{name} was turned away by {by}."
        case JoinState.EXPIRED:
            told = f"{name} was not let in: nobody answered in time."
        case _:
            told = f"{name} was let in by {by}."
    return plain_line(told)


def _bring_in(client: Client, name: str) -> str:
    person = client.create_person(NewPerson(name=name))
    print(f"{plain_line(person.name)} may use this hub now. Their key, shown once:\n")
    print(f"  {person.key}\n")
    print(f"They chat with: HUB_KEY=KEY deskhand-hub chat --hub {client.hub_url}\n")
    return person.person_id


def _print_code(told: InvitationShown) -> None:
    code, hub_url = told.code, told.hub_url
    print(f"Code: {code}   (works once, for 10 minutes)\n")
    print("On the computer to be connected:\n")
    print(f"  deskhand pair {code} --hub {hub_url}\n  deskhand --headless\n")
    print(f"Where Deskhand is not installed yet, open {hub_url}/download#{code}, or run\n")
    print(f"  Linux, macOS:  {shell_line(hub_url, code)}")
    print(f"  Windows:       {powershell_line(hub_url, code)}")


def _print_chats(client: Client, person_id: str | None) -> None:
    """Print how to open each chat, as its person; the code in the link is for one account."""
    links = chat_links(client)
    if not links:
        return
    told = client.create_invitation(NewInvitation(person_id=person_id, purpose=Purpose.ACCOUNT))
    for name, link in links.items():
        # A frontend of others made it: nothing in it is trusted.
        address = plain_line(link.replace("{code}", told.code))
        print(f"\nTo chat on {place(name)} (works once, for 10 minutes):\n\n  {address}")
        if "{code}" not in link:
            print(f"\nand say there: {FIRST_WORDS.get(name, '/start')} {told.code}")
        if sys.stdout.isatty():
            print_qr(address, sys.stdout)


def chat_links(client: Client) -> dict[str, str]:
    """Where each frontend opens its chat; with "{code}" where the link says it by itself."""
    return {f.name: f.chat_link for f in client.get_status().frontends if f.chat_link}


def print_qr(text: str, target: TextIO) -> None:
    """Draw a text as a QR code in half blocks."""
    import segno

    target.write("\n")
    segno.make(text, error="l", micro=False).terminal(out=target, compact=True)
