"""Where work stands, in words: once for the tray, all windows and the commands.

Without Qt, so that commands say it, too; they speak English, for no language is chosen there.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.link import LinkState
from desktop.desk import standing
from desktop.desk.standing import Fate, Line, Standing, Whereabouts
from desktop.gui.language import tr, trn
from desktop.store.copied import JobRow, QuestionRow
from desktop.store.pending import Pending
from shared.errors import STORE_CORRUPT, ErrorBody
from shared.ids import short
from shared.plain_text import plain_line

HUB_RESTORED = "hub_restored"
"""The code of a job that a restored hub has forgotten, and no machine has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that the person should know, wherever they look."""

    text: str
    action: str = ""
    """What its button says; empty for none."""
    window: str = ""
    """Where the button leads; empty for calling the hub."""
    item: str = ""


def of_job(  # noqa: C901, PLR0911 - one row for each standing
    row: JobRow, place: Whereabouts
) -> str:
    """Say what a job's state does not say; empty when it says it all."""
    machine = plain_line(row.machine)
    match standing.of_job(row, place):
        case Standing.PLAIN:
            return ""
        case Standing.RUNS_HERE | Standing.ENDED_HERE:
            return tr("Without the hub; it is told later.")
        case Standing.WAITS_HERE if place.held_back is not None:
            return tr("Waits here. {why}").format(why=place.held_back.message)
        case Standing.WAITS_HERE if place.is_full:
            return tr("Waits here until another job has ended.")
        case Standing.WAITS_HERE:
            return tr("Waits here until this computer can take it.")
        case Standing.GOES_TO_HUB if machine and row.worker_id != place.here:
            return tr("For {machine}, once the hub is back.").format(machine=machine)
        case Standing.GOES_TO_HUB:
            return tr("Waits for the hub.")
        case Standing.ON_ITS_WAY:
            return tr("On its way to the hub.")
        case Standing.STOPS_HERE:
            return tr("Is being stopped.")
        case Standing.STOPS_WITH_HUB:
            return tr("Stops once the hub is back.")
        case Standing.STOPS_ELSEWHERE:
            return tr("Stops when {machine} hears of it.").format(machine=machine)
        case Standing.REPLACED:
            again = f"#{short(row.replaced_by)}" if row.replaced_by else ""
            return tr("Tried again as {job}.").format(job=again)


def of_answer(row: QuestionRow, value: str, place: Whereabouts) -> str:
    """Say what became of an answer that was given at a computer; empty when it counted."""
    match standing.of_answer(row, value, place):
        case Fate.COUNTED:
            return ""
        case Fate.SENT:
            return tr("sent, waiting for the hub")
        case Fate.KEPT:
            return tr("waits here for the hub")
        case Fate.USED if place.is_online:
            return tr("used here already")
        case Fate.USED:
            return tr("used here already, the hub is told later")
        case Fate.SECOND:
            return tr("came second; {value} by {who} counts").format(
                value=plain_line(row.asking.label_of(row.value)), who=plain_line(row.answered_by)
            )
        case Fate.LATE:
            return tr("not needed any more")
        case Fate.REFUSED:
            return tr("not counted")


def foot(sentence: str) -> str:
    """Say a sentence as one part of a caption, behind a dot."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def line_headline(line: Line) -> str:
    """Say in a few words how the line is, while it is not up."""
    hub = plain_line(line.hub) or tr("the hub")
    match line.state:
        case None:
            return tr("Not connected to a hub yet")
        case LinkState.CONNECTING:
            return tr("Connecting to {hub} …").format(hub=hub)
        case _:
            return tr("Offline: {hub} does not answer").format(hub=hub)


def line_details(line: Line) -> list[str]:
    """Say what goes on and what waits while the line is not up, a sentence each."""
    told = []
    if line.state in (LinkState.OFFLINE, LinkState.CONNECTING):
        told.append(goes_on(line))
    if line.state is LinkState.OFFLINE and line.next_try_at is not None:
        clock = f"{line.next_try_at.astimezone():%H:%M:%S}"
        told.append(tr("Next try at {time}.").format(time=clock))
    return told


def goes_on(line: Line) -> str:
    """Say that work goes on without the hub, and how much that has still to be told."""
    work = tr("Work goes on here")
    if line.running:
        work = trn("{count} job goes on here", "{count} jobs go on here", line.running)
    if not line.waiting:
        return f"{work}."
    waits = trn("{count} change waits", "{count} changes wait", line.waiting)
    return f"{work}; {waits}."


def changes(waiting: int) -> str:
    """Say how much the hub has still to be told; empty when nothing."""
    if not waiting:
        return ""
    return trn("{count} change waits for the hub", "{count} changes wait for the hub", waiting)


def notices(line: Line, pending: Pending) -> tuple[Notice, ...]:
    """Say what the person should know now, the most urgent first; nothing while all is well."""
    told = []
    if line.trouble is not None:
        told.append(Notice(text=f"{line.trouble.message} {line.trouble.hint}".strip()))
    if line.state is LinkState.REFUSED and line.error is not None:
        told.append(_refused(line.error))
    elif line.state is not None and line.state is not LinkState.ONLINE:
        parts = (f"{line_headline(line).removesuffix(' …')}.", *line_details(line))
        told.append(Notice(text=" ".join(parts), action=tr("Try now")))
    if pending.mended is not None:
        action = tr("Look closer")
        told.append(
            Notice(
                text=pending.mended.message, action=action, window="settings", item="diagnostics"
            )
        )
    return (*told, *newer_notices(pending.newer))


def _refused(error: ErrorBody) -> Notice:
    text = f"{error.message} {error.hint}".strip()
    if error.code == STORE_CORRUPT:
        return Notice(text=text)  # connecting again mends no store
    return Notice(text=text, action=tr("Connect again"), window="pairing")


def of_lost(row: JobRow) -> str:
    """Say that a restored hub has forgotten a job; empty when it has not."""
    if row.error is None or row.error.code != HUB_RESTORED:
        return ""
    return tr("The hub was restored and has forgotten this; nobody has begun it.")


def newer_notices(count: int) -> tuple[Notice, ...]:
    """Say that a newer program wrote what this one cannot show."""
    if not count:
        return ()
    text = trn(
        "{count} thing here needs a newer Deskhand.",
        "{count} things here need a newer Deskhand.",
        count,
    )
    action = tr("Look for updates")
    return (Notice(text=text, action=action, window="settings", item="updates"),)
