"""How things stand, in the words of the tray: headline, tooltip, names of states and windows."""

from __future__ import annotations

from desktop.core.link import LinkState
from desktop.core.tray import Facts, TrayState, state_of
from desktop.desk.desk import Desk
from desktop.desk.holding import PAUSED
from desktop.desk.standing import line_of
from desktop.gui import standing
from desktop.gui.language import tr, trn
from shared.jobs import JobState


def headline(facts: Facts, desk: Desk) -> str:
    """Say in a few words how things stand."""
    match state_of(facts):
        case TrayState.ERROR:
            return tr("Something needs you")
        case TrayState.ASKING:
            return trn(
                "{count} question waits for you", "{count} questions wait for you", facts.questions
            )
        case TrayState.OFFLINE:
            return standing.line_headline(line_of(desk, facts.waiting))
        case TrayState.PAUSED:
            return _held(facts)
        case TrayState.RUNNING:
            return trn("{count} job is running", "{count} jobs are running", facts.running)
        case TrayState.UPDATE:
            return tr("An update is there")
        case TrayState.IDLE:
            return tr("Ready")


def tooltip(facts: Facts, desk: Desk) -> str:
    """Say why things stand as they do, and what comes next."""
    headline, *reasons = tooltip_lines(facts, desk)
    return "\n".join((f"Deskhand: {headline}", *reasons))


def tooltip_lines(facts: Facts, desk: Desk) -> list[str]:
    """Say how things stand, then why and what comes next, a line each."""
    lines = [headline(facts, desk)]
    error = facts.trouble or (desk.link.error if desk.link else None) or facts.held_back
    line = line_of(desk, facts.waiting)
    is_away = facts.line in (LinkState.OFFLINE, LinkState.CONNECTING)
    if is_away and state_of(facts) is not TrayState.OFFLINE:
        lines.append(standing.line_headline(line))
    if error is not None and (facts.trouble is not None or not is_away):
        lines.append(error.message)
    lines += standing.line_details(line)
    lines += [notice.text for notice in standing.newer_notices(facts.newer)]
    return lines


def state(job: JobState) -> str:
    """Name a job's state."""
    match job:
        case JobState.QUEUED | JobState.OFFERED:
            return tr("waiting")
        case JobState.GRANTED | JobState.RUNNING:
            return tr("running")
        case JobState.ASKING:
            return tr("asking")
        case JobState.SUCCEEDED:
            return tr("done")
        case JobState.FAILED | JobState.DEAD:
            return tr("failed")
        case JobState.CANCELLED:
            return tr("stopped")
        case JobState.INTERRUPTED:
            return tr("interrupted")


def window_titles() -> dict[str, str]:
    """Name the windows."""
    return {
        "chat": tr("Chat"),
        "jobs": tr("Jobs"),
        "models": tr("Models"),
        "runs": tr("Runs"),
        "change": tr("Change"),
        "settings": tr("Settings"),
        "pairing": tr("Connect this computer"),
    }


def _held(facts: Facts) -> str:
    """Tell a pause of the person's from the owner's rules."""
    is_pause = facts.held_back is None or facts.held_back.code == PAUSED
    return tr("Paused") if is_pause else tr("Starts nothing now")
