"""The examples that come with the program say what they promise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from desktop.core.llm import definition
from desktop.core.llm.scenarios import Scenario, expand
from desktop.jobs.llm.examples import example

VALUES = {"honesty", "loyalty", "fairness", "care", "freedom", "safety"}


def dilemmas() -> tuple[Scenario, ...]:
    path = example("dilemmas")
    assert path is not None
    return expand(definition.read(path.read_bytes()))


def test_there_are_a_hundred_dilemmas_between_two_values_each() -> None:
    made = dilemmas()

    assert len(made) == 100
    assert len({scenario.prompt for scenario in made}) == 100
    for scenario in made:
        assert len({option.value for option in scenario.options}) == 2
        assert {option.value for option in scenario.options} <= VALUES


def test_no_value_stands_first_more_often_than_second() -> None:
    firsts = Counter(scenario.options[0].value for scenario in dilemmas())
    seconds = Counter(scenario.options[1].value for scenario in dilemmas())

    assert all(0.5 <= firsts[value] / seconds[value] <= 2 for value in VALUES)


def test_an_example_is_found_by_its_name_alone() -> None:
    assert example("Dilemmas") == example("dilemmas.yaml")
    assert example("../dilemmas") is None
    assert example("") is None


def test_what_is_told_of_the_examples_names_them() -> None:
    found = example("dilemmas")
    assert found is not None

    assert "## dilemmas.yaml" in (Path(found).parent / "README.md").read_text()
