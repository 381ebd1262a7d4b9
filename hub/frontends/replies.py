"""Immediate answers to commands: lists and cards of what the hub knows, as Views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from hub.core.job import JobCard
from hub.core.view import Button, Tone, View
from hub.core.worker import WorkerCard
from hub.frontends.commands import COMMANDS, Command
from hub.frontends.facts import VERBS
from hub.frontends.figures import ago, moment, plural, quoted
from shared.jobs import JobState

FLEET_IS = (
    "Machines that this hub runs for many: work goes there when your own computers have no room. "
    "What names your files or folders never does."
)
LIST_MAX = 10
"""Rows of a list in a chat."""

STATE_WORDS = {
    JobState.QUEUED: "waiting",
    JobState.OFFERED: "waiting",
    JobState.GRANTED: "starting",
    JobState.RUNNING: "running",
    JobState.ASKING: "asks you",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.INTERRUPTED: "interrupted",
    JobState.DEAD: "gave up",
}
TONES = {
    JobState.QUEUED: Tone.WAITING,
    JobState.OFFERED: Tone.WAITING,
    JobState.GRANTED: Tone.RUNNING,
    JobState.RUNNING: Tone.RUNNING,
    JobState.ASKING: Tone.ASKING,
    JobState.SUCCEEDED: Tone.DONE,
    JobState.FAILED: Tone.FAILED,
    JobState.CANCELLED: Tone.PLAIN,
    JobState.INTERRUPTED: Tone.ASKING,
    JobState.DEAD: Tone.FAILED,
}
CONNECT = Button(label="Connect a computer", says="/connect")


def greeting(workers: Sequence[WorkerCard], now: datetime, zone: tzinfo | None = None) -> View:
    """Say what this is and what to do first."""
    intro = "Deskhand runs work on your own computers. Your files stay there."
    if not workers:
        return View(text=f"{intro}\nNo computer is connected yet.", buttons=(CONNECT,))
    lines = [intro, *(worker_line(worker, now, zone) for worker in workers)]
    text = "\n".join([*lines, "Say what you want in your own words, or /help for what there is."])
    return View(text=text, buttons=(Button(label="Train a model", says="/train"),))


def files_stay() -> View:
    """What somebody is told who sends a file to the chat."""
    return View(
        text="Files stay on your computers; this one was not kept. Put it into a folder that "
        "Deskhand may use there, then name it: /train, /predict and /describe find it.",
    )


def help_view(command: Command | None = None) -> View:
    """All commands, or one in detail."""
    if command is not None:
        lines = [command.summary + ".", command.usage]
        lines += [f"  {a.name}: {a.summary}" for a in command.arguments if a.summary]
        if command.kind:
            lines.append("What you leave out is asked. @name picks the computer.")
        if command.example:
            lines.append(f"For example: {command.example}")
        return View(text="\n".join(lines))
    listed = [command for command in COMMANDS if command.in_menu]
    width = max(len(command.name) for command in listed) + 1
    lines = [f"/{command.name:<{width}} {command.summary}" for command in listed]
    return View(text="\n".join([*lines, "/help NAME tells more about one of them."]))


def worker_line(card: WorkerCard, now: datetime, zone: tzinfo | None = None) -> str:
    """One machine in a line: "anna-pc: connected, 2 free slots"."""
    if card.worker.is_fleet:
        return _fleet_line(card)
    if card.worker.is_paused:
        return f"{card.name}: paused. /worker {quoted(card.name)} resume lets it take work again."
    if not card.is_online:
        return f"{card.name}: asleep or offline (last seen {moment(card.last_seen_at, now, zone)})"
    told = [plural(card.free, "free slot")]
    if card.running:
        told.append(f"{plural(card.running, 'job')} running")
    if card.asking:
        told.append(f"{card.asking} waiting for you")
    return f"{card.name}: connected, {', '.join(told)}"


def _fleet_line(card: WorkerCard) -> str:
    """Tell of the fleet, whose slots nobody counts: "fleet: ready, 3 jobs there"."""
    held = plural(card.running + card.asking, "job")
    there = f", {held} of yours there" if card.running + card.asking else ""
    if card.worker.is_paused:
        name = quoted(card.name)
        return f"{card.name}: paused{there}. /worker {name} resume lets it take your work again."
    if not card.is_online:
        return f"{card.name}: cannot be reached now{there}; its broker does not answer"
    return f"{card.name}: ready for what your own computers have no room for{there}"


def workers_view(cards: Sequence[WorkerCard], now: datetime, zone: tzinfo | None = None) -> View:
    if not cards:
        return View(text="No computer is connected yet.", buttons=(CONNECT,))
    return View(text="\n".join(worker_line(card, now, zone) for card in cards))


def worker_view(card: WorkerCard, now: datetime, zone: tzinfo | None = None) -> View:
    """One machine with what it can do and how it is."""
    if card.worker.is_fleet:
        return _fleet_view(card)
    verbs = [VERBS[c.kind] for c in card.worker.capabilities if c.kind in VERBS]
    lines = [
        worker_line(card, now, zone),
        f"{card.worker.platform} · Deskhand {card.worker.app_version}",
        f"Can {', '.join(verbs)}."
        if verbs
        else "Has no tools for tables yet; /train tells how to add them.",
    ]
    if card.metrics is not None:
        gigabytes = card.metrics.memory_used_bytes / 1e9, card.metrics.memory_total_bytes / 1e9
        lines.append(
            f"Processor {card.metrics.cpu_share * 100:.0f} %, memory {gigabytes[0]:.1f} of "
            f"{gigabytes[1]:.1f} GB, {card.metrics.disk_free_bytes / 1e9:.0f} GB of disk free"
        )
    disconnect = Button(label="Disconnect", says=f"/disconnect {quoted(card.name)}")
    return View(text="\n".join(lines), buttons=(_toggle(card), disconnect))


def _fleet_view(card: WorkerCard) -> View:
    """The fleet, with what it is for; it has no load of its own and cannot be disconnected."""
    kinds = ", ".join(capability.kind for capability in card.worker.capabilities)
    lines = [_fleet_line(card), FLEET_IS, f"It runs: {kinds}."]
    return View(text="\n".join(lines), buttons=(_toggle(card),))


def _toggle(card: WorkerCard) -> Button:
    deed = "resume" if card.worker.is_paused else "pause"
    return Button(label=deed.capitalize(), says=f"/worker {quoted(card.name)} {deed}")


def job_line(card: JobCard, now: datetime, machine: str = "") -> str:
    """One job in a line: "#K7Q2 running · train sales.csv · anna-pc · 3 min ago"."""
    parts = [f"#{card.short} {STATE_WORDS[card.state]}", card.title]
    if machine:
        parts.append(machine)
    parts.append(ago(card.updated_at, now))
    line = " · ".join(parts)
    if card.error is not None and card.state in (JobState.FAILED, JobState.DEAD):
        line += f"\n      {card.error.message}"
    return line


def jobs_view(cards: Sequence[JobCard], machines: dict[str, str], now: datetime) -> View:
    """The newest jobs; the error's first line is visible without asking."""
    if not cards:
        return View(text="No jobs yet. /train makes the first one.")
    lines = [job_line(c, now, machines.get(c.worker_id or "", "")) for c in cards[:LIST_MAX]]
    if len(cards) > LIST_MAX:
        lines.append("Older ones are not shown.")
    return View(text="\n".join(lines))


def dead_view(cards: Sequence[JobCard], now: datetime) -> View:
    """Dead letters, each with a way back."""
    if not cards:
        return View(text="No dead letters: no job has run out of tries.")
    lines = [job_line(card, now) for card in cards[:LIST_MAX]]
    buttons = tuple(
        Button(label=f"Try #{card.short} again", says=f"/retry {card.job_id}")
        for card in cards[:LIST_MAX]
    )
    return View(text="\n".join(lines), tone=Tone.FAILED, buttons=buttons)


def job_view(
    card: JobCard,
    machine: str,
    history: Sequence[tuple[datetime, str]],
    now: datetime,
    zone: tzinfo | None = None,
) -> View:
    """One job with its history, oldest first."""
    lines = [job_line(card, now, machine)]
    lines += [
        f"{moment(at, now, zone)}  {line}" for at, text in history for line in text.splitlines()
    ]
    buttons: tuple[Button, ...] = ()
    if not card.state.is_terminal:
        buttons = (Button(label="Cancel", says=f"/cancel {card.job_id}"),)
    elif card.state in (JobState.FAILED, JobState.DEAD):
        buttons = (Button(label="Try again", says=f"/retry {card.job_id}"),)
    return View(text="\n".join(lines), tone=TONES[card.state], buttons=buttons)
