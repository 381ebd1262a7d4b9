"""What a step's job is asked for with: typed, bounded, and of nothing but the plan and outputs."""

from __future__ import annotations

import pytest

from desktop.core.plan.binding import CUT_MARK, JSON_CHARS_MAX, Outputs, bound, outputs_of
from desktop.core.plan.input_shape import shapes_of
from shared.errors import BadInput
from shared.kinds import parse_inputs
from shared.kinds.catalogue import BUILT_IN
from shared.plan import StepEnded
from tests.desktop.core.plan.plans import (
    JOB,
    KINDS,
    TABLES,
    ask,
    badly,
    from_step,
    step,
    table,
    value,
    well,
)

ASK = BUILT_IN["llm.ask"]
RESEARCH = BUILT_IN["web.research"]
FOUND = {"a": {"findings": "828 m"}, "b": {"findings": "829 m"}}


def test_instructions_fill_the_words_and_outputs_the_rest() -> None:
    made = bound(ask("c", "a"), ASK, FOUND)
    assert made.inputs == {"question": "Say it in one line.", "text": "828 m"}


def test_outputs_of_several_steps_are_joined() -> None:
    made = bound(ask("c", "a", "b"), ASK, FOUND)
    assert made.inputs["text"] == "828 m\n\n829 m"


def test_addresses_of_one_step_become_the_addresses_of_another() -> None:
    outputs: Outputs = {"a": {"source_urls": ["https://a.example/", "https://b.example/"]}}
    links = (from_step("urls", "a", "source_urls"), value("urls", "https://c.example/"))
    made = bound(step("b", inputs=links), RESEARCH, outputs)
    read = parse_inputs(RESEARCH, made.inputs).model_dump()
    assert read["urls"] == ("https://a.example/", "https://b.example/", "https://c.example/")


def test_a_number_is_read_as_one() -> None:
    made = bound(step(inputs=(value("sources_max", " 3 "),)), RESEARCH, {})
    assert parse_inputs(RESEARCH, made.inputs).model_dump()["sources_max"] == 3


def test_a_file_flows_by_the_job_that_wrote_it() -> None:
    wrote = StepEnded(job_id=JOB, state="succeeded", output={"table": "t.csv", "facts": {"n": 1}})
    outputs = outputs_of(TABLES, wrote)
    assert outputs == {"table": f"#{JOB}", "facts": {"n": 1}}
    linked = table("b", inputs=(from_step("file", "a", "table"),))
    assert bound(linked, TABLES, {"a": outputs}).inputs["file"] == f"#{JOB}"


def test_what_is_too_long_is_cut_and_told() -> None:
    chars_max = shapes_of(ASK)["text"].chars_max
    made = bound(ask("c", "a"), ASK, {"a": {"findings": "x" * (chars_max + 1)}})
    text = made.inputs["text"]
    assert isinstance(text, str)
    assert len(text) == chars_max
    assert text.endswith(CUT_MARK)
    assert made.cuts == ("text",)


def test_local_is_passed_on_to_what_uses_a_model_alone() -> None:
    assert bound(step(), RESEARCH, {}, is_local=True).inputs["local"] is True
    describe = step(capability="data.describe", inputs=(value("file", "x.csv"),))
    assert bound(describe, BUILT_IN["data.describe"], {}, is_local=True).inputs == {"file": "x.csv"}


def test_the_persons_model_is_passed_on() -> None:
    assert bound(step(), RESEARCH, {}, model="local:tiny").inputs["model"] == "local:tiny"


def test_another_try_is_told_why_the_last_one_was_not_enough() -> None:
    question = bound(step(), RESEARCH, {}, errors=("Old.", "It gave nothing.")).inputs["question"]
    assert str(question).endswith("An earlier try was not good enough: It gave nothing.")


def test_what_the_kind_cannot_take_is_told_with_the_steps_title() -> None:
    far = step(inputs=(value("sources_max", "900"),))
    with pytest.raises(BadInput) as caught:
        bound(far, RESEARCH, {})
    assert caught.value.code == "step_inputs_invalid"
    assert caught.value.message.startswith("'Do a': web.research cannot take these inputs")


def test_only_what_a_kind_gives_is_read_from_a_result() -> None:
    told = outputs_of(
        RESEARCH, well({"secret": "x", "source_urls": [1, "u"], "sources": [{"n": 1}]})
    )
    assert told == {"findings": "It is 828 m.", "sources": [{"n": 1}], "source_urls": ["u"]}


@pytest.mark.parametrize("odd", [object(), float("nan"), {1, 2}], ids=["object", "nan", "set"])
def test_a_result_that_is_no_json_is_nothing(odd: object) -> None:
    assert outputs_of(RESEARCH, well({"sources": odd, "findings": odd}))["sources"] is None


def test_an_endless_result_is_bounded() -> None:
    sources = outputs_of(RESEARCH, well({"sources": ["x" * 2 * JSON_CHARS_MAX]}))["sources"]
    assert isinstance(sources, str)
    assert len(sources) == JSON_CHARS_MAX


def test_a_job_that_failed_gives_nothing() -> None:
    assert outputs_of(RESEARCH, badly()) == {}


def test_every_input_that_a_plan_may_fill_is_an_input_of_its_kind() -> None:
    for kind in KINDS.values():
        face = kind.planned
        if face is None:
            continue
        fields, results = kind.inputs.model_fields, kind.output.model_fields
        named = {*face.takes, *face.joins, *face.files, *filter(None, [face.words])}
        assert named <= fields.keys(), kind.name
        assert kind is TABLES or face.gives.keys() <= results.keys(), kind.name
        assert all(shapes_of(kind)[name].sort != "other" for name in named), kind.name
        assert not (face.uses_model and kind is not TABLES) or "local" in fields, kind.name
