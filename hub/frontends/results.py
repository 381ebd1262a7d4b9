"""What jobs of each kind gave back, as the last word of a chat.

Headline and notes are the executor's own sentences; a kind the hub knows better gets its table
and the buttons that go on from there. An unknown kind is shown by its headline alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue, ValidationError

from hub.core.view import Button, Tone, View
from hub.frontends import code_results, file_results, llm_results, plan_words, web_results
from hub.frontends.figures import count
from shared.ids import JobId
from shared.kinds import Output
from shared.kinds.catalogue import BUILT_IN
from shared.kinds.data import ColumnFacts, DescribeOutput
from shared.kinds.ml import ModelFacts, ModelOutput, ModelsOutput, PredictOutput, TrainOutput

ROWS_SHOWN_MAX = 30
"""Table rows in a chat message; the rest is only counted."""


def result_view(kind: str, result: Mapping[str, JsonValue], *, job_id: JobId, label: str) -> View:
    """Tell what a job gave back."""
    output = read_output(kind, result)
    if output is None:
        return _last_word(f"Done: {label}.", job_id)
    table, buttons = _known(output, job_id)
    lines = [output.headline, *output.notes, *table]
    view = _last_word("\n".join(line for line in lines if line), job_id, buttons)
    return replace(view, sheet=code_results.sheet_of(output) or file_results.sheet_of(output))


def read_output(kind: str, result: Mapping[str, JsonValue]) -> Output | None:
    """Read a result as its kind's output; None when it is not even headed by a sentence."""
    known = BUILT_IN.get(kind)
    for shape in (known.output if known else Output, Output):
        try:
            return shape.model_validate(dict(result))
        except ValidationError:
            continue
    return None


def _known(output: Output, job_id: JobId) -> tuple[list[str], tuple[Button, ...]]:
    match output:
        case TrainOutput():
            return [], (_plots(output.model), _predict(output.model))
        case ModelOutput() if output.sends:
            return [], (_predict(output.model),)
        case ModelOutput():
            return [], (_plots(output.model), _predict(output.model))
        case PredictOutput():
            # The result knows only the file's name; the computer that wrote it knows the rest.
            send = Button(label="Send me the file", says=f"/send #{job_id}")
            return [], (send, Button(label="First 5 rows", says=f"/head #{job_id}"))
        case ModelsOutput() if not output.notes:
            return _capped([model_line(model) for model in output.models]), ()
        case DescribeOutput():
            return _capped([column_line(column) for column in output.columns]), ()
        case _:
            return (
                llm_results.told(output)
                or code_results.told(output, job_id)
                or file_results.told(output, job_id)
                or plan_words.told(output, job_id)
                or web_results.told(output)
                or ([], ())
            )


def _plots(model: ModelFacts) -> Button:
    return Button(label="Plots", says=f"/model {model.model_id} plot")


def _predict(model: ModelFacts) -> Button:
    return Button(label="Predict with it", says=f"/predict {model.model_id}")


def _capped(lines: list[str]) -> list[str]:
    more = len(lines) - ROWS_SHOWN_MAX
    return lines if more <= 0 else [*lines[:ROWS_SHOWN_MAX], f"and {count(more)} more"]


def model_line(model: ModelFacts) -> str:
    partial = "" if model.complete else ", cut short"
    return (
        f"{model.name}: {model.target}, {model.metric} {model.score:.2f} ± {model.score_spread:.2f}"
        f" (guessing {model.baseline:.2f}), {count(model.rows)} rows{partial}"
    )


def column_line(column: ColumnFacts) -> str:
    gaps = f", {column.missing_share * 100:.0f} % missing" if column.missing_share >= 0.005 else ""
    sample = f": {column.sample}" if column.sample else ""
    return f"{column.name} · {column.kind}{gaps}{sample}"


def _last_word(text: str, job_id: JobId, buttons: tuple[Button, ...] = ()) -> View:
    return View(
        text=text,
        tone=Tone.DONE,
        buttons=buttons,
        subject=f"job:{job_id}",
        final=True,
        job_id=job_id,
    )
