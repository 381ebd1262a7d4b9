"""What becomes of an accepted change: the person decides, or the level; then it is pushed.

Nothing leaves the machine before that is written down, and nobody's silence is a yes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from desktop.core.code.change import Change
from desktop.core.code.file_sorts import is_run_by_forge
from desktop.core.code.work_wording import Facts, done_line, file_lines, wish_line
from desktop.jobs.code.bench import Bench
from desktop.jobs.code.delivery import Delivering
from desktop.jobs.code.kept import facts_of
from desktop.jobs.code.rounds import WISHES_MAX
from desktop.jobs.code.state import Stage
from shared.errors import AppError
from shared.kinds.code import Delivery, Level
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

YES, NO = "yes", "no"
NAMES_SHOWN_MAX = 3
NAME_CHARS_MAX = 200
TRIES_MAX = 10


class Decision(StrEnum):
    """What becomes of a change. Values are those of buttons, and of the state file."""

    OPEN = "open"
    PUSH = "push"
    KEEP = "keep"
    DISCARD = "discard"

    @property
    def pushes(self) -> bool:
        return self in (Decision.OPEN, Decision.PUSH)


_LABELS = {
    Decision.OPEN: "Push and open PR",
    Decision.PUSH: "Only push",
    Decision.KEEP: "Keep it here",
    Decision.DISCARD: "Discard",
}


async def decided(bench: Bench, change: Change) -> Decision | str:
    """Find out what becomes of a change; a text is what the person wants changed."""
    if bench.state.now.has(Stage.DECIDED):
        return Decision(bench.state.now.decision)
    answer = await _answered(bench, change)
    if isinstance(answer, Decision):
        bench.state.put(stage=Stage.DECIDED, decision=answer.value)
    return answer


async def _answered(bench: Bench, change: Change) -> Decision | str:
    wanted = bench.order.inputs.delivery or bench.order.kind.delivery
    if wanted is Delivery.KEEP:
        return Decision.KEEP
    opens = wanted is Delivery.PULL_REQUEST and (await Delivering.of(bench, change)).can_open
    if bench.order.level is Level.AUTONOMOUS:
        answer: Decision | str = Decision.OPEN if opens else Decision.PUSH
    else:
        answer = await _asked(bench, change, opens=opens)
    is_push = isinstance(answer, Decision) and answer.pushes
    if is_push and (names := list(risky(change))) and not await _confirmed(bench, names):
        return Decision.KEEP
    return answer


async def _asked(bench: Bench, change: Change, *, opens: bool) -> Decision | str:
    now = bench.state.now
    answer = await bench.person.ask(
        Asking(
            key=f"deliver:{now.commit[:40]}",
            kind=QuestionKind.APPROVAL,
            text=_words(bench, change, opens=opens)[:TEXT_CHARS_MAX],
            choices=tuple(
                Choice(value=one.value, label=label)
                for one, label in _LABELS.items()
                if opens or one is not Decision.OPEN
            ),
            allow_text=now.wishes < WISHES_MAX,
            default=Decision.KEEP.value,
            more="code.diff",
        )
    )
    return Decision(answer) if answer in set(Decision) else answer


def _words(bench: Bench, change: Change, *, opens: bool) -> str:
    now = bench.state.now
    facts = facts_for(bench, change)
    place = bench.depot.place.target.shown
    sandbox = bench.sandbox.name if bench.sandbox.is_isolating else ""
    lines = [f"{done_line(facts, sandbox)} {wish_line(now.branch, place, opens=opens)}"]
    lines += file_lines(facts.files, facts.files_total)
    lines += now.notes
    if now.wishes < WISHES_MAX:
        lines.append("Or write what is to be different.")
    return "\n".join(lines)


def facts_for(bench: Bench, change: Change) -> Facts:
    now = bench.state.now
    return Facts(
        kind=bench.order.kind,
        short=bench.order.short,
        files=facts_of(change),
        files_total=len(change.files),
        added=change.added,
        removed=change.removed,
        before=now.before,
        after=now.after,
    )


def risky(change: Change) -> Iterator[str]:
    """Tell the files that a forge runs by itself once they are pushed."""
    for file in change.files:
        if is_run_by_forge(file.path) or is_run_by_forge(file.old_path):
            yield file.path[:NAME_CHARS_MAX]


async def _confirmed(bench: Bench, names: list[str]) -> bool:
    """Ask a second time: this push makes others run something else."""
    more = f" and {len(names) - NAMES_SHOWN_MAX} more" if len(names) > NAMES_SHOWN_MAX else ""
    shown = f"{', '.join(names[:NAMES_SHOWN_MAX])}{more}"
    answer = await bench.person.ask(
        Asking(
            key=f"confirm:{bench.state.now.commit[:40]}",
            kind=QuestionKind.APPROVAL,
            text=f"{bench.order.job} changes what {bench.depot.place.target.shown} runs by itself "
            f"once it is pushed: {shown}. Push it all the same?",
            choices=(
                Choice(value=YES, label="Push it all the same"),
                Choice(value=NO, label="Do not push"),
            ),
            default=NO,
            more="code.diff",
        )
    )
    return answer == YES


async def delivered(bench: Bench, change: Change, decision: Decision) -> Decision:
    """Do what was decided; what was done before is found done.

    Returns:
        What came of it: whoever is refused for good, and tries no more, keeps the change here.

    Raises:
        AppError: as `Delivering.push` and `Delivering.open`, when it may go better later.
    """
    if not bench.state.now.has(Stage.DELIVERED):
        if decision.pushes:
            decision = await _sent(bench, change, decision)
        bench.state.put(stage=Stage.DELIVERED, decision=decision.value)
    return decision


async def _sent(bench: Bench, change: Change, decision: Decision) -> Decision:
    """Push; a refusal is no reason to lose work that is done, so the person says what now."""
    bench.context.progress("delivery", 0, 2)
    tries = 0
    while (refusal := await _refusal(bench, change, decision)) is not None:
        tries += 1
        if tries == TRIES_MAX or not await _is_tried_again(bench, refusal, tries):
            return _left(bench, refusal)
    return decision


async def _refusal(bench: Bench, change: Change, decision: Decision) -> AppError | None:
    """Send it; return why it was refused for good."""
    try:
        await _send(bench, change, opens=decision is Decision.OPEN)
    except AppError as error:
        if error.retryable:
            raise
        return error
    return None


def _left(bench: Bench, refusal: AppError) -> Decision:
    now = bench.state.now
    what = "No pull request was opened" if now.is_pushed else "It was not pushed"
    bench.state.put(notes=(*now.notes, f"⚠ {what}: {refusal.message}"))
    return Decision.PUSH if now.is_pushed else Decision.KEEP


async def _is_tried_again(bench: Bench, refusal: AppError, nth: int) -> bool:
    asking = Asking(
        key=f"refused:{bench.state.now.commit[:40]}:{nth}",
        kind=QuestionKind.APPROVAL,
        text=f"{bench.order.job} is done, but could not be delivered: {refusal.message} "
        f"{refusal.hint}"[:TEXT_CHARS_MAX].strip(),
        choices=(
            Choice(value=YES, label="Try again"),
            Choice(value=NO, label="Leave it as it is"),
        ),
        default=NO,
        more="code.diff",
    )
    return await bench.person.ask(asking) == YES


async def _send(bench: Bench, change: Change, *, opens: bool) -> None:
    way = await Delivering.of(bench, change)
    await way.push(opens=opens)
    now = bench.state.put(is_pushed=True)
    bench.context.log(f"Pushed {now.branch} to {bench.depot.place.target.shown}.")
    bench.context.progress("delivery", 1, 2)
    url, sentence = await way.open(opens=opens)
    notes = (*now.notes, sentence) if sentence else now.notes
    bench.state.put(url=url, notes=notes)
    bench.context.progress("delivery", 2, 2)
