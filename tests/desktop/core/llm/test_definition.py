"""A definition's fields, and what is told about one that does not fit."""

from __future__ import annotations

import json

import pytest

from desktop.core.llm import definition
from desktop.core.llm.scenarios import expand, single
from desktop.core.llm.types import Sampling
from shared.errors import BadInput, LimitReached
from shared.kinds import JsonObject

WHOLE = b"""
name: small
version: 2
preamble: Answer with A or B.
preamble_as: user
models: [local:tiny, "openai:gpt-5-mini"]
repeats: 3
sampling: {temperature: 0, tokens_max: 8}
scenarios:
  - id: promise
    vary: {who: [a friend, a neighbour], what: [the move, the exam]}
    prompt: "You promised {{who}} to help with {{ what }}."
    options:
      A: {value: loyalty, text: "Help {{who}}"}
      B: {value: care, text: Rest}
    swap: true
  - id: plain
    prompt: "Yes or no? {{options}}"
    followups: [Why?]
    options: {yes: honesty, no: care}
    sampling: {temperature: 1.5}
    preamble: ""
    metadata: {source: own}
"""


def one(**fields: object) -> JsonObject:
    values: JsonObject = json.loads(
        json.dumps({"name": "x", "scenarios": [{"id": "a", "prompt": "b", **fields}]})
    )
    return values


def told(values: JsonObject) -> str:
    with pytest.raises(BadInput) as caught:
        expand(definition.parse(values))
    assert caught.value.code == "definition_wrong"
    assert caught.value.hint
    return caught.value.message


def test_a_template_makes_every_combination_in_both_orders_as_one_cluster() -> None:
    made = expand(definition.read(WHOLE))

    assert [scenario.id for scenario in made] == [
        *(f"promise/{n}{end}" for n in range(1, 5) for end in ("", "/swapped")),
        "plain",
    ]
    assert {scenario.cluster for scenario in made[:8]} == {"promise"}
    assert made[0].prompt == (
        "You promised a friend to help with the move.\n\nA: Help a friend\nB: Rest"
    )
    assert made[3].prompt == (
        "You promised a friend to help with the exam.\n\nA: Rest\nB: Help a friend"
    )
    assert [(o.label, o.value) for o in made[3].options] == [("A", "care"), ("B", "loyalty")]
    assert made[3].metadata == {"vary": {"who": "a friend", "what": "the exam"}}


def test_a_scenario_takes_over_what_it_does_not_say_itself() -> None:
    first, *_, last = expand(definition.read(WHOLE))

    assert (first.preamble, first.preamble_as) == ("Answer with A or B.", "user")
    assert first.sampler == Sampling(temperature=0, tokens_max=8)
    assert last.preamble == ""
    assert last.sampler == Sampling(temperature=1.5, tokens_max=8)
    assert last.with_seed(7).seed == 7
    assert last.prompt == "Yes or no? - yes\n- no"
    assert last.followups == ("Why?",)


def test_rows_vary_what_belongs_together() -> None:
    values = one(
        prompt="{{what}}",
        vary=[{"what": "a", "x": "1"}, {"what": "b", "x": "2"}],
        metadata={"n": "{{x}}"},
    )

    made = expand(definition.parse(values))

    assert [(s.id, s.prompt, s.metadata["n"]) for s in made] == [
        ("a/1", "a", "1"),
        ("a/2", "b", "2"),
    ]


def test_options_of_the_whole_definition_are_filled_in_as_well() -> None:
    values = one(vary={"who": ["Anna", "Ben"]})
    values["options"] = {"yes": "{{who}}", "no": "nobody"}

    first, second = expand(definition.parse(values))

    assert (first.options[0].value, second.options[0].value) == ("Anna", "Ben")


def test_words_as_labels_change_places_when_they_are_swapped() -> None:
    values = one(prompt="{{options}}", options={"yes": "a", "no": "b"}, swap=True)

    plain, swapped = expand(definition.parse(values))

    assert (plain.prompt, swapped.prompt) == ("- yes\n- no", "- no\n- yes")
    assert {o.label: o.value for o in swapped.options} == {"yes": "a", "no": "b"}


def test_a_snapshot_says_the_same_again_and_has_the_same_digest() -> None:
    read = definition.read(WHOLE)

    again = definition.parse(json.loads(definition.snapshot(read)))

    assert again == read
    assert expand(again) == expand(read)
    assert definition.digest(again) == definition.digest(read)
    assert definition.digest(read) != definition.digest(read.model_copy(update={"repeats": 4}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(
            {"name": "x", "scenarios": [{"id": "a", "promt": "b"}]},
            "scenarios[0].promt is not known; did you mean 'prompt'?",
            id="a slip in a field",
        ),
        pytest.param(
            {**one(), "modles": []}, "modles is not known; did you mean 'models'?", id="top"
        ),
        pytest.param(
            one(sampling={"temprature": 1}),
            "scenarios[0].sampling.temprature is not known; did you mean 'temperature'?",
            id="a slip in the sampling",
        ),
        pytest.param(
            one(prompt=5), "scenarios[0].prompt has to be text; put it in quotes", id="no text"
        ),
        pytest.param(one(prompt=""), "scenarios[0].prompt is empty", id="an empty prompt"),
        pytest.param({"name": "x"}, "scenarios is missing; add it", id="no scenarios"),
        pytest.param({"name": "x", "scenarios": []}, "scenarios is empty", id="none of them"),
        pytest.param(one(followups="Why?"), "has to be a list; begin each", id="one follow-up"),
        pytest.param(one(swap="yes"), "scenarios[0].swap has to be true or false", id="no truth"),
        pytest.param(one(preamble_as="me"), "has to be 'system' or 'user'", id="another role"),
        pytest.param(one(sampling={"temperature": 9}), "may be at most 5", id="too hot"),
        pytest.param(one(id="a b"), "scenarios[0].id may have letters", id="a blank in an id"),
        pytest.param(one(options={"A": "x"}), "at least two options", id="one option"),
        pytest.param(one(options={"A": "x", "a": "y"}), "upper and lower case", id="labels alike"),
        pytest.param(
            one(options={"A": "x", "B": 1}), "options[1].value has to be text", id="a number"
        ),
        pytest.param(
            one(prompt="{{who}}"), "{{who}}, which nothing fills in", id="no such variable"
        ),
        pytest.param(one(vary={"who": ["a"]}), "'who', which no text uses", id="an idle variable"),
        pytest.param(one(vary={}), "scenarios[0].vary is empty", id="nothing varies"),
        pytest.param(one(vary={"who": []}), "vary.who is empty", id="no values"),
        pytest.param(one(vary={"options": ["a"]}), "cannot vary 'options'", id="a name taken"),
        pytest.param(one(swap=True), "options that are shown as a list", id="nothing to swap"),
        pytest.param(
            {"name": "x", "scenarios": [{"id": "a", "prompt": "b"}, {"id": "a", "prompt": "c"}]},
            "scenarios[1].id 'a' stands twice",
            id="an id twice",
        ),
    ],
)
def test_a_fault_names_its_place_and_what_to_do(values: JsonObject, message: str) -> None:
    assert message in told(values)


def test_faults_of_a_file_have_their_lines() -> None:
    with pytest.raises(BadInput, match=r"scenarios\[0\]\.promt \(line 4\)"):
        definition.read(b"name: x\nscenarios:\n  - id: a\n    promt: b\n")


def test_many_faults_are_counted() -> None:
    values: JsonObject = {"name": "x", "scenarios": [{"id": f"a{n}"} for n in range(9)]}

    assert "and 6 more" in told(values)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            {
                "prompt": "".join(f"{{{{v{n}}}}}" for n in range(10)),
                "vary": {f"v{n}": ["a", "b", "c"] for n in range(10)},
            },
            id="combinations without end",
        ),
        pytest.param(
            {"prompt": "{{v}}" + "x" * 90_000, "vary": {"v": [str(n) for n in range(1000)]}},
            id="long texts many times",
        ),
    ],
)
def test_what_grows_too_large_is_refused_while_it_grows(fields: dict[str, object]) -> None:
    with pytest.raises(LimitReached, match="too large"):
        expand(definition.parse(one(**fields)))


def test_a_scenario_may_stand_alone() -> None:
    scenario = single({"prompt": "Lie?", "options": {"A": "honesty", "B": "care"}})

    assert (scenario.id, scenario.cluster, scenario.prompt) == ("scenario", "scenario", "Lie?")
    with pytest.raises(BadInput, match="did you mean 'prompt'"):
        single({"promt": "Lie?"})
    with pytest.raises(BadInput, match="is several"):
        single({"prompt": "{{a}}", "vary": {"a": ["b", "c"]}})


@pytest.mark.parametrize(
    ("mistake", "end"), [({"promt": "x"}, "did you mean 'prompt'? "), ({"id": 7}, ". ")]
)
def test_what_does_not_fit_is_told_with_one_mark_at_its_end(mistake: JsonObject, end: str) -> None:
    with pytest.raises(BadInput) as caught:
        definition.parse({"name": "n", "scenarios": [{"id": "a", "prompt": "p", **mistake}]})
    assert end in str(caught.value)
    assert "?." not in str(caught.value)
