"""Pushes a job's branch and opens its pull request, where the forge is known and lets us."""

from __future__ import annotations

from desktop.core.code import pr_body
from desktop.core.code.change import Change
from desktop.core.code.forge import PullRequest
from desktop.core.code.pr_body import Told, Work
from desktop.jobs.code.bench import Bench
from desktop.jobs.code.forges import forge_for
from desktop.jobs.code.forges.forge import Forge
from desktop.jobs.code.forges.plain import Plain
from desktop.system.way import Way


def work_of(bench: Bench, change: Change) -> Work:
    """Tell what a commit's message and a pull request's description are made of."""
    order, now = bench.order, bench.state.now
    return Work(
        title=pr_body.title_of(order.instructions),
        instructions=order.instructions,
        change=change,
        job=order.short,
        agent=order.profile.name,
        model=order.model.full_name,
        questions=tuple(
            Told(question=one.question, answer=one.answer, by="" if one.is_default else "answered")
            for one in now.said
            if not one.is_approval
        ),
        tests_before=now.before,
        tests_after=now.after,
        tokens=now.spent.tokens,
        cost_usd=now.spent.cost_usd_known,
        minutes=now.spent.seconds / 60,
        notes=now.notes,
    )


class Delivering:
    """The way of one change to where its branch goes."""

    def __init__(self, bench: Bench, change: Change, forge: Forge) -> None:
        self._bench = bench
        self._forge = forge
        work = work_of(bench, change)
        self._wanted = PullRequest(
            branch=bench.state.now.branch,
            base=bench.start.base,
            title=work.title,
            body=pr_body.pr_body(work),
        )

    @classmethod
    async def of(cls, bench: Bench, change: Change) -> Delivering:
        """Find out which forge it is."""
        context = bench.context
        target = bench.depot.place.target
        return cls(bench, change, await forge_for(target, context.keys, Way(context.network)))

    @property
    def can_open(self) -> bool:
        """Whether a pull request can be opened there."""
        return not isinstance(self._forge, Plain) or bool(self._options)

    async def push(self, *, opens: bool) -> None:
        """Push the branch; what is there already is not pushed again.

        Raises:
            AppError: as `delivering.push`.
        """
        bench, now = self._bench, self._bench.state.now
        options = self._options if opens else ()
        await bench.depot.pushed(bench.start, commit=now.commit, branch=now.branch, options=options)

    async def open(self, *, opens: bool) -> tuple[str, str]:
        """Return the address of the pull request, or of a page to look at, and what to say of it.

        Raises:
            AppError: as `Forge.create_or_update`.
        """
        if not opens:
            return self._forge.url(self._wanted), ""
        opened = await self._forge.create_or_update(self._wanted)
        return opened.url, opened.sentence

    @property
    def _options(self) -> tuple[str, ...]:
        return self._forge.push_options(self._wanted)
