"""Words about who comes in and who goes: computers, chat accounts, and whoever tries codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.core.joining import JoinRequest
from hub.core.pairing import Invitation
from hub.core.sign_in import Link
from hub.core.view import Button, Tone, View
from hub.frontends.facts import PLACES, VERBS, Facts
from hub.frontends.figures import duration, plural, quoted
from shared.events import (
    AccountLinked,
    JoinRequested,
    JoinSettled,
    PairingPaused,
    WorkerMistrusted,
    WorkerPaired,
    WorkerRevoked,
)

TRY = "Say what you want in your own words, or try /train; /help lists the rest."


def place(frontend: str) -> str:
    """A frontend as people call it: "Telegram"."""
    return PLACES.get(frontend, frontend.title())


def connect_view(invitation: Invitation, hub_url: str, now: datetime) -> View:
    """A code for a computer, and all the ways to carry it there."""
    code = invitation.code
    valid = duration((invitation.expires_at - now).total_seconds())
    page = f"{hub_url}/download#{code}"
    lines = (
        f"Your code: {code} (valid {valid}, works once)",
        f"Open this on the computer: {page}",
        f"Deskhand is installed there: {pair_link(hub_url, code)}",
        "Or in its terminal:",
        f"  deskhand pair {code} --hub {hub_url}",
        f"A server, Linux or macOS: {shell_line(hub_url, code)}",
        f"Windows: {powershell_line(hub_url, code)}",
        "Then come back here: you are asked before it is let in.",
    )
    buttons = (Button(label="Copy the code", copies=code), Button(label="Open", url=page))
    return View(text="\n".join(lines), tone=Tone.WAITING, buttons=buttons, qr=page)


def sign_in_url(hub_url: str, link: Link) -> str:
    return f"{hub_url}/in/{link.secret}"


def web_view(hub_url: str, link: Link, now: datetime) -> View:
    """A link that signs a browser in."""
    url = sign_in_url(hub_url, link)
    valid = duration((link.expires_at - now).total_seconds())
    text = f"Open this in your browser (valid {valid}, works once): {url}"
    return View(text=text, buttons=(Button(label="Open the dashboard", url=url),))


def pair_link(hub_url: str, code: str) -> str:
    return f"deskhand://pair?hub={hub_url}&code={code}"


def shell_line(hub_url: str, code: str) -> str:
    return f"curl -fsSL {hub_url}/worker.sh | sh -s -- {code}"


def powershell_line(hub_url: str, code: str) -> str:
    return f"& ([scriptblock]::Create((irm {hub_url}/worker.ps1))) {code}"


def who(name: str, platform: str, kinds: Sequence[str]) -> str:
    """A computer with what it is: "anna-pc (Windows 11; can train, predict)"."""
    verbs = ", ".join(dict.fromkeys(VERBS[kind] for kind in kinds if kind in VERBS))
    parts = [part for part in (platform, f"can {verbs}" if verbs else "") if part]
    return f"{name} ({'; '.join(parts)})" if parts else name


def _account(name: str, frontend: str, account: str) -> str:
    return f"{name} ({account} on {place(frontend)}) wants to use this hub."


def requested_view(body: JoinRequested) -> View:
    """Ask whether to let somebody in; yes is never said by itself."""
    if body.kind == "account":
        text = _account(body.name, body.frontend, body.account)
        labels = ("Let in", "No")
    else:
        computer = who(body.name, body.platform, body.kinds)
        text = f"{computer} wants to join. Check words: {body.words}."
        labels = ("Approve", "Reject")
    buttons = (
        Button(label=labels[0], says=f"/approve {body.join_id}"),
        Button(label=labels[1], says=f"/reject {body.join_id}"),
    )
    return View(text=text, tone=Tone.ASKING, buttons=buttons, subject=f"join:{body.join_id}")


def settled_view(body: JoinSettled, facts: Facts) -> View:
    """What the question to let somebody in turns into."""
    match body.state:
        case "approved":
            text = f"✓ {body.name} was let in by {facts.whose(body.by)}."
        case "rejected":
            text = f"{body.name} was turned away by {facts.whose(body.by)}."
        case _:
            text = f"{body.name} was not let in: nobody answered in time."
    tone = Tone.DONE if body.state == "approved" else Tone.PLAIN
    return View(text=text, tone=tone, subject=f"join:{body.join_id}")


def paired_view(body: WorkerPaired) -> View:
    if body.is_fleet:
        text = (
            f"You may use this hub's {body.name} now: what your own computers have no room for "
            f"may run there. /worker {quoted(body.name)} tells what it can do."
        )
        return View(text=text, subject=f"worker:{body.worker_id}")
    return View(
        text=f"✓ {body.name} is ready. {TRY}", tone=Tone.DONE, subject=f"worker:{body.worker_id}"
    )


def revoked_view(body: WorkerRevoked, facts: Facts) -> View:
    if body.is_fleet:
        text = f"This hub's settings let you use its {body.name} no more; your computers stay."
        return View(text=text, subject=f"worker:{body.worker_id}")
    text = f"{body.name} was shown out by {facts.whose(body.by)}. /connect pairs it anew."
    return View(text=text, subject=f"worker:{body.worker_id}")


def mistrusted_view(body: WorkerMistrusted) -> View:
    """Warn of a machine whose reports are not signed by its key."""
    why = {
        "event_unsigned": "without the signature of this machine: its key is lost, or an older "
        "program runs there",
        "event_forged": "with a wrong signature: somebody else may use its token",
    }.get(body.code, "that cannot be trusted")
    text = (
        f"⚠ {body.name} sends reports {why}. They are not counted. Show it out with "
        f"/disconnect, and pair it anew with /connect."
    )
    return View(text=text, tone=Tone.FAILED, subject=f"mistrust:{body.worker_id}")


def linked_view(body: AccountLinked) -> View:
    undo = Button(label="Undo", says=f"/unlink {body.frontend} {body.account}")
    return View(text=f"{body.name} now speaks for you on {place(body.frontend)}.", buttons=(undo,))


def admitted_view() -> View:
    return View(text="You were let in. /start says what this is, /connect adds a computer.")


def alarm_view(body: PairingPaused) -> View:
    where = plural(body.addresses, "address").replace("addresss", "addresses")
    text = (
        f"⚠ Somebody tries pairing codes: {body.tries} wrong ones in a minute from {where}. "
        f"Pairing by code is paused for {body.minutes} minutes; connected computers are not "
        "touched."
    )
    return View(text=text, tone=Tone.FAILED)


def decided_view(request: JoinRequest, facts: Facts) -> View:
    """The answer where the question itself is not shown."""
    body = JoinSettled(
        join_id=request.join_id,
        kind="worker" if request.public_key else "account",
        name=request.name,
        state="rejected" if request.state == "rejected" else "approved",
        by=request.decided_by,
    )
    return settled_view(body, facts)


def linked_here_view(person_name: str) -> View:
    return View(text=f"You speak for {person_name} here now.", tone=Tone.DONE)


def stranger(*, was_asked: bool) -> View:
    """All that somebody without an account is told."""
    if was_asked:
        return View(text="This hub does not know you. Its owner was asked to let you in.")
    return View(text="This hub does not know you. Ask its owner for an invitation.")
