"""Sessions in words: where one is, how long it lives, that it is over, what can be said next."""

from __future__ import annotations

from dataclasses import replace

from hub.core.job import JobCard
from hub.core.session import Session, why_over
from hub.core.view import Button, Tone, View
from hub.frontends.facts import Facts
from hub.frontends.replies import STATE_WORDS, TONES
from hub.services.sessions import SessionCard
from shared.kinds.catalogue import BUILT_IN

NEXT = {
    "ml.train": ("/predict", "/model"),
    "ml.predict": ("/send", "/head"),
    "data.describe": ("/train", "/head"),
    "data.analyze": ("/analyze", "/describe"),
    "files.head": ("/describe", "/train"),
    "files.read": ("/ask", "/edit"),
    "files.write": ("/send", "/edit"),
    "files.edit": ("/undo", "/send"),
    "llm.run": ("/stats", "/transcript"),
    "llm.stats": ("/transcript", "/runs"),
    "llm.ask": ("/ask", "/probe"),
}
"""What people tend to want after a kind."""
NEXT_OTHERWISE = ("/describe", "/train")


def over_view(ended: Session, machine: str, facts: Facts) -> View:
    """Tell in one sentence that what was asked for cannot go on where it was."""
    there = f" on {machine}" if machine else ""
    text = f"The session{there} is over ({_why(ended, facts)}), so this begins a new one."
    return View(text=text, tone=Tone.PLAIN, is_quiet=True)


def standing_view(card: JobCard, session: SessionCard | None, facts: Facts) -> View:
    """What a task's session is, where, how long it lives, and what can be said next.

    `facts` tell the time, the reader and their zone.
    """
    lines = [
        f"#{card.short} {STATE_WORDS[card.state]} · {card.title}",
        _standing(session, facts),
    ]
    if session is None or session.takes_follow_ups:
        lines.append(_next(card))
    buttons: tuple[Button, ...] = ()
    if not card.state.is_terminal:
        buttons = (Button(label="Cancel", says=f"/cancel {card.job_id}"),)
    return View(text="\n".join(lines), tone=TONES[card.state], buttons=buttons, job_id=card.job_id)


def _next(card: JobCard) -> str:
    kind = BUILT_IN.get(card.kind)
    if kind is not None and kind.words_input:
        return "To go on, reply to a message about it and say what comes next."
    first, second = NEXT.get(card.kind, NEXT_OTHERWISE)
    return (
        f"To go on: /continue #{card.short} {first}, or reply to a message about it with "
        f"a command such as {second}."
    )


def _standing(session: SessionCard | None, facts: Facts) -> str:
    if session is None:
        return "It has no session yet: that begins with its first start."
    there, one = session.worker_name or "its computer", session.session
    if not one.is_open or not (session.takes_follow_ups or session.is_busy):
        return f"Its session on {there} is over: {_why(one, facts)}. What you ask begins another."
    if not session.takes_follow_ups:
        return f"Its session on {there} is an hour old: it takes nothing new and ends with this."
    assert session.lives_until is not None
    latest = facts.clock(one.aged_at)
    if session.is_busy:
        return f"Its session is on {there} and takes more until {latest}."
    until = facts.clock(session.lives_until)
    if session.lives_until >= one.aged_at:
        return f"Its session is on {there} and lives until {latest}."
    return f"Its session is on {there} and lives until {until}, at most {latest} if it is used."


def _why(session: Session, facts: Facts) -> str:
    ended_by = facts.whose(session.ended_by) if session.ended_by else ""
    return why_over(replace(session, ended_by=ended_by), facts.now)
