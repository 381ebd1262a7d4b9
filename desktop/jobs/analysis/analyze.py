"""`data.analyze`: a question to tables is answered by computing it.

    look (in a box) ─▶ a model writes code ─▶ run (in a box) ─▶ tables, numbers, charts
                              ▲    what went wrong, ≤ 3 rounds │
                              └────────────────────────────────┘
    ─▶ the model words the answer from those alone ─▶ its figures are looked up in them

Nothing of the tables but names, a short look at values, and what was computed reaches a model; one
that is elsewhere only after its person said so. Without a box that holds, no code is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.core.analysis import words
from desktop.core.analysis.figures import unfounded
from desktop.core.analysis.results import Results
from desktop.jobs import wording
from desktop.jobs.analysis import boxed, kept, painting
from desktop.jobs.analysis.boxed import LIMITS, Room, Turns
from desktop.jobs.asking import TABLES
from desktop.jobs.code.removing import remove
from desktop.jobs.code.sandbox import Sandbox, choose
from desktop.jobs.context import SharedContext
from desktop.jobs.llm.ask_wanted import check_leaving
from desktop.jobs.llm.choosing import chosen_model
from desktop.jobs.llm.saying import Saying, check_installed
from shared.errors import BadInput, Unavailable
from shared.kinds import file_name_of
from shared.kinds.data import (
    ROWS_TOLD_MAX,
    AnalyzedNumber,
    AnalyzedTable,
    AnalyzeInputs,
    AnalyzeOutput,
    ColumnFacts,
)
from shared.plain_text import plain, plain_line
from shared.questions import Asking, Choice, QuestionKind

ROUNDS_MAX = 3
FILES_OFFERED_MAX = 8
LABEL_CHARS_MAX = 200
TABLES_BYTES_MAX = 24_000
CODE_CHARS_TOLD_MAX = 6_000
STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    tables: Mapping[str, Path]
    question: str
    saying: Saying
    sandbox: Sandbox

    @property
    def name(self) -> str:
        return wording.listed(list(self.tables))


async def run(context: SharedContext, inputs: AnalyzeInputs) -> AnalyzeOutput:
    """Answer a question about tables.

    Raises:
        Unavailable: `sandbox_needed`, `models_missing`.
        NotAllowed: `sending_refused`, `model_not_local`, and as `find_file`.
        BadInput: `table_unreadable`, `analysis_failed`, and as `find_file`.
        Postponed, LlmFault: the model's.
    """
    wanted = await _wanted(context, inputs)
    room = Room(
        sandbox=wanted.sandbox,
        folder=context.workdir,
        tables=wanted.tables,
        limits=LIMITS,
        turns=context.shared(Turns, Turns),
    )
    try:
        context.progress("reading the tables", 0, STEPS)
        looks = await boxed.look(room)
        schema = {name: (one.rows, one.columns) for name, one in looks.items()}
        results, code, rounds = await _computed(context, wanted, room, schema)
    finally:
        remove(context.workdir / "box")
    context.progress("wording the answer", 2, STEPS)
    text, figures = await _worded(wanted, results, code, schema)
    context.progress("drawing", 3, STEPS)
    return await _output(context, wanted, results, code, rounds, text, figures)


async def _wanted(context: SharedContext, inputs: AnalyzeInputs) -> _Wanted:
    check_installed()
    sandbox = await choose(context.code, guarded=(context.data_folder,))
    if not sandbox.is_isolating:
        raise Unavailable(
            "sandbox_needed",
            "A model's code runs in a sandbox alone, and this machine has none. " + sandbox.why,
            sandbox.hint or "`deskhand doctor` on that machine says what is missing.",
        )
    first = inputs.file if inputs.file is not None else await _which_file(context)
    paths = [context.find_file(name) for name in (first, *inputs.files)]
    question = inputs.question or await _which_question(context)
    model = await chosen_model(context, inputs.model, is_local=inputs.local)
    tables = _named(paths)
    shown = plain_line(wording.listed(list(tables)))
    what = f"Column names, a short look at the values of {shown}, and what is computed of them"
    await check_leaving(context, model, what, shown)
    return _Wanted(tables=tables, question=question, saying=Saying(context, model), sandbox=sandbox)


def _named(paths: Sequence[Path]) -> dict[str, Path]:
    """Name tables by their files: each its own name."""
    named: dict[str, Path] = {}
    for path in dict.fromkeys(paths):
        name, number = file_name_of(path.stem), 1
        while name in named:
            number += 1
            name = f"{file_name_of(path.stem)} {number}"
        named[name] = path
    return named


Schema = Mapping[str, tuple[int, Sequence[ColumnFacts]]]


async def _computed(
    context: SharedContext, wanted: _Wanted, room: Room, schema: Schema
) -> tuple[Results, str, int]:
    """Have code written and run until it hands something over."""
    messages = words.code_request(words.schema_told(schema), wanted.question)
    fault = BadInput("analysis_failed", "", "")
    for number in range(1, ROUNDS_MAX + 1):
        context.progress("computing", 1, STEPS)
        reply = await wanted.saying.say(messages)
        code = words.code_in(reply)
        try:
            return await boxed.compute(room, code), code, number
        except BadInput as error:
            fault = error
        context.log(f"Round {number}: {plain_line(fault.message)[-LABEL_CHARS_MAX:]}")
        messages = (*messages, *words.code_again(reply, f"{fault.message} {fault.hint}"))
    last = fault.message.strip().splitlines()[-1][:LABEL_CHARS_MAX]
    raise BadInput(
        "analysis_failed",
        f"{wanted.saying.model.full_name} wrote code {ROUNDS_MAX} times, and none of it worked."
        f" The last said: {last}",
        "Ask more simply, or ask another model.",
    )


async def _worded(
    wanted: _Wanted, results: Results, code: str, schema: Schema
) -> tuple[str, tuple[str, ...]]:
    """Have the answer worded; figures that stand nowhere go back once, and are told then."""
    known = [wanted.question, *(f"{rows} {len(columns)}" for rows, columns in schema.values())]
    messages = words.answer_request(results, wanted.question, code)
    text = await wanted.saying.say(messages)
    figures = unfounded(text, results, known=known)
    if figures:
        again = await wanted.saying.say((*messages, *words.answer_again(text, figures)))
        left = unfounded(again, results, known=known)
        if len(left) <= len(figures):
            text, figures = again, left
    return plain(text.strip())[: words.ANSWER_CHARS_MAX], figures


async def _output(
    context: SharedContext,
    wanted: _Wanted,
    results: Results,
    code: str,
    rounds: int,
    text: str,
    figures: tuple[str, ...],
) -> AnalyzeOutput:
    folder = kept.keep(context.data_folder, context.job_id, results, code)
    pictures: list[Path] = []
    notes: list[str] = []
    if results.charts:
        pictures = await painting.painted(results.charts, folder, ", ".join(wanted.tables))
        if len(pictures) < len(results.charts):
            notes.append("⚠ Not every chart could be drawn on that machine.")
    if figures:
        notes.insert(0, f"⚠ Not among the computed numbers: {', '.join(figures)}.")
    name = file_name_of(next(iter(wanted.tables)))
    notes += kept.sent(context.origin, pictures, context.workdir, context.send, name)
    saying = wanted.saying
    return AnalyzeOutput(
        headline=_headline(wanted, results, rounds),
        notes=tuple(notes),
        files=tuple(path.name for path in pictures),
        text=text,
        numbers=tuple(
            AnalyzedNumber(name=plain_line(one.name), value=one.value, unit=plain_line(one.unit))
            for one in results.numbers
        ),
        tables=tuple(_told(results)),
        unfounded=figures,
        code=plain(code)[:CODE_CHARS_TOLD_MAX],
        rounds=rounds,
        model=saying.model.full_name,
        usage=saying.usage,
        cost_usd=saying.cost_usd,
    )


def _headline(wanted: _Wanted, results: Results, rounds: int) -> str:
    made = [
        wording.count(len(some), what)
        for some, what in (
            (results.tables, "table"),
            (results.numbers, "number"),
            (results.charts, "chart"),
        )
        if some
    ]
    tries = "" if rounds == 1 else f" at the {('second', 'third')[rounds - 2]} try"
    name = plain_line(wanted.name)
    return f"{wanted.saying.model.full_name} analyzed {name}{tries}: {', '.join(made)}."


def _told(results: Results) -> list[AnalyzedTable]:
    """Tell as much of the tables as a result has room for."""
    told: list[AnalyzedTable] = []
    left = TABLES_BYTES_MAX
    for table in results.tables:
        rows = table.rows[:ROWS_TOLD_MAX]
        one = AnalyzedTable(
            name=plain_line(table.name),
            columns=tuple(map(plain_line, table.columns)),
            rows=tuple(
                tuple(plain_line(cell) if isinstance(cell, str) else cell for cell in row)
                for row in rows
            ),
            rows_total=table.rows_total,
        )
        size = len(one.model_dump_json().encode())
        if size > left:
            part = one.model_copy(update={"rows": one.rows[: max(0, len(rows) * left // size - 1)]})
            told.append(part)
            break
        told.append(one)
        left -= size
    return told


async def _which_file(context: SharedContext) -> str:
    recent = context.recent_files(TABLES, count_max=FILES_OFFERED_MAX)
    return await context.ask(
        Asking(
            key="file",
            kind=QuestionKind.CLARIFICATION,
            text="Which table?",
            choices=tuple(
                Choice(value=str(file)[:4000], label=plain_line(file.name)[:LABEL_CHARS_MAX])
                for file in recent
            ),
            allow_text=True,
        )
    )


async def _which_question(context: SharedContext) -> str:
    asking = Asking(
        key="question",
        kind=QuestionKind.CLARIFICATION,
        text="What do you want to know?",
        allow_text=True,
    )
    return await context.ask(asking)
