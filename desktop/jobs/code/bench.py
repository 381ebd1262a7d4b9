"""All that a job works with: its clone's folder, a sandbox, a gateway, its repository, its person.

Made anew by each attempt, from what the state says is there already.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.code.box import GATEWAY_PORT, Box, BoxLimits, Launch
from desktop.core.code.pr_body import title_of
from desktop.core.code.refs import job_branch
from desktop.jobs.code.asking import Person
from desktop.jobs.code.clone_folders import CloneFacts, CloneFolder, CloneFolders
from desktop.jobs.code.clones import Clone
from desktop.jobs.code.depot import Depot, Start
from desktop.jobs.code.diff import changes_of
from desktop.jobs.code.order import Order
from desktop.jobs.code.sandbox import Sandbox
from desktop.jobs.code.sandbox.choosing import choose
from desktop.jobs.code.state import Stage, StateFile
from desktop.jobs.code.tasks import plainly
from desktop.jobs.code.testing import Suites
from desktop.jobs.context import SharedContext
from shared.errors import Conflict, NotAllowed
from shared.kinds.code import Level
from shared.questions import Asking, Choice, QuestionKind

YES, NO = "yes", "no"
OWN_TRIES = 50
OWN_SECONDS = 0.2
"""Between two looks whether an earlier attempt of the same job is gone."""


@dataclass(kw_only=True)
class Bench:
    """One attempt's."""

    context: SharedContext
    order: Order
    state: StateFile
    person: Person
    depot: Depot
    sandbox: Sandbox
    folder: CloneFolder
    start: Start
    clone: Clone
    notes: list[str] = field(default_factory=list)

    @property
    def limits(self) -> BoxLimits:
        most = self.context.code.memory_bytes_max
        return BoxLimits() if most is None else BoxLimits(memory_bytes_max=most)

    @property
    def suites(self) -> Suites:
        return Suites(self.sandbox, self.limits, read_only=(self.depot.mirror.git_dir,))

    def launch(self, argv: Sequence[str], box: Box) -> Launch:
        return self.sandbox.launch(box, argv)

    def box(
        self, *, gateway: Path, port: int, env: Mapping[str, str], shown: Sequence[Path]
    ) -> Box:
        """Return the agent's box; `shown` is what its program stands on."""
        return Box(
            workdir=self.folder.tree,
            home=self.folder.home,
            read_only=(self.depot.mirror.git_dir, *shown),
            gateway=gateway,
            port=port,
            env=env,
            limits=self.limits,
        )

    @property
    def is_alone(self) -> bool:
        """Whether nobody but the box reaches the port in it."""
        return self.sandbox.is_isolating and self.sandbox.port() == GATEWAY_PORT


@contextlib.asynccontextmanager
async def bench_of(
    context: SharedContext, order: Order, state: StateFile, person: Person
) -> AsyncIterator[Bench]:
    """Prepare the work, or find it as an earlier attempt left it.

    Raises:
        NotAllowed: `code_unboxed`; as `Depot.opened`.
        AppError: as `Depot.opened`.
    """
    context.progress("repository", 0, 1)

    def fetching(stage: str, done: float, total: float) -> None:
        context.progress("repository", min(done, total), max(total, 1))

    with plainly():
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(Depot.opened(context, order.repository, fetching))
            choosing = group.create_task(choose(context.code, guarded=(context.data_folder,)))
    depot, sandbox = opening.result(), choosing.result()
    await _may_be_unboxed(order, sandbox, state, person)
    async with _folder(context, state, order, depot) as folder:
        start, clone = await _clone(context, order, state, depot, folder)
        bench = Bench(
            context=context,
            order=order,
            state=state,
            person=person,
            depot=depot,
            sandbox=sandbox,
            folder=folder,
            start=start,
            clone=clone,
            notes=[*order.notes, *depot.place.notes, *clone.notes],
        )
        if unseen := await depot.uncommitted(context.workdir / "index.copy"):
            bench.notes.append(unseen_note(unseen))
        context.progress("repository", 1, 1)
        yield bench


def unseen_note(count: int) -> str:
    files = "1 file" if count == 1 else f"{count:,} files"
    return f"⚠ {files} of the folder are not committed; the job did not see them."


async def _may_be_unboxed(order: Order, sandbox: Sandbox, state: StateFile, person: Person) -> None:
    """Have nobody work alone where nothing holds an agent back, and ask before anybody does.

    Raises:
        NotAllowed: `code_unboxed`.
    """
    if sandbox.is_isolating or state.now.has(Stage.WORKED):
        return
    refusal = NotAllowed(
        "code_unboxed",
        f"Nothing on this machine holds an agent back, so none works alone. {sandbox.why}".strip(),
        sandbox.hint or "Order it as supervised.",
    )
    if order.level is Level.AUTONOMOUS:
        raise refusal
    asking = Asking(
        key="unboxed",
        kind=QuestionKind.APPROVAL,
        text=f"Nothing on this machine holds an agent back. {sandbox.why} "
        f"{order.job} and the repository's tests would run with all that you may do. May they?",
        choices=(Choice(value=YES, label="Run them"), Choice(value=NO, label="No")),
        default=NO,
    )
    if await person.ask(asking) != YES:
        raise refusal


@contextlib.asynccontextmanager
async def _folder(
    context: SharedContext, state: StateFile, order: Order, depot: Depot
) -> AsyncIterator[CloneFolder]:
    """Hold the job's folder: its own, or that of its session if it fits and is free."""
    folders = folders_of(context)
    users = (context.workdir, context.workspace)
    with contextlib.ExitStack() as held:
        folder: CloneFolder | None = None
        if state.now.clone:
            folder = await _own(held, folders, state.now.clone, users)
        elif noted := folders.noted(context.workspace):
            with contextlib.suppress(Conflict):
                folder = held.enter_context(folders.held(noted, *users))
            if folder is not None and not _fits(folder, order, depot):
                held.close()
                folder = None
        yield folder or held.enter_context(folders.held(context.job_id, *users))


async def _own(
    held: contextlib.ExitStack, folders: CloneFolders, name: str, users: tuple[Path, ...]
) -> CloneFolder:
    """Hold the folder that an earlier attempt worked in, whose last breath may not be out yet.

    Raises:
        Conflict: `clone_taken`.
    """
    for _ in range(OWN_TRIES):
        with contextlib.suppress(Conflict):
            return held.enter_context(folders.held(name, *users))
        # The system has no bell for a lock that another process gives back.
        await asyncio.sleep(OWN_SECONDS)
    return held.enter_context(folders.held(name, *users))


def folders_of(context: SharedContext) -> CloneFolders:
    return CloneFolders(context.data_folder / "code" / "clones")


def _fits(folder: CloneFolder, order: Order, depot: Depot) -> bool:
    """Say whether an earlier job's clone is what this job would work on."""
    facts = folder.facts()
    if facts is None or facts.repository != depot.place.source.url:
        return False
    if facts.worker and Path(facts.worker).is_dir():
        return False  # its job is to go on with it
    wants = order.inputs
    is_alike = (wants.base or facts.base) == facts.base
    return is_alike and (wants.branch or facts.branch) == facts.branch


async def _clone(
    context: SharedContext, order: Order, state: StateFile, depot: Depot, folder: CloneFolder
) -> tuple[Start, Clone]:
    """Find the clone as it was left, or make it."""
    facts = folder.facts() or CloneFacts(repository="")
    now = state.now
    if now.has(Stage.CLONED) and folder.tree.is_dir():
        start = Start(base=now.base, base_commit=now.base_commit, tip=now.tip)
        return start, depot.again(folder.tree, start, facts.clone_commit)
    if facts.tip and folder.tree.is_dir():
        start = Start(base=facts.base, base_commit=facts.base_commit, tip=facts.tip)
        clone = depot.again(folder.tree, start, facts.clone_commit)
    else:
        wants = order.inputs
        place = depot.place.source.shown
        kept = changes_of(context.data_folder).commit_on(place, wants.branch or "")
        start = await depot.start(wants.base, wants.branch, kept)
        clone = await depot.cloned(folder.tree, start)
    branch = order.inputs.branch or facts.branch
    branch = branch or job_branch(order.short.lower(), title_of(order.instructions))
    told = {
        "repository": depot.place.source.url,
        "base": start.base,
        "base_commit": start.base_commit,
        "clone_commit": clone.commit,
        "worker": str(context.workdir),
    }
    folder.put(facts.model_copy(update=told))
    _begun(state, folder, start, branch, is_follow_up=bool(facts.agent_session))
    return start, clone


def _begun(
    state: StateFile, folder: CloneFolder, start: Start, branch: str, *, is_follow_up: bool
) -> None:
    state.put(
        stage=max(Stage.CLONED, state.now.stage, key=lambda stage: stage.rank),
        clone=folder.path.name,
        base=start.base,
        base_commit=start.base_commit,
        tip=start.tip,
        branch=branch,
        is_follow_up=is_follow_up,
    )
