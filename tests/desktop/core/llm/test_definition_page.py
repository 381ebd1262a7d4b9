"""What is published about definitions is what the program takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from desktop.core.llm import definition, definition_text
from desktop.core.llm.definition import Definition, SamplingFields, ScenarioFields
from desktop.core.llm.scenarios import expand

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "probe-definition.md").read_text()
SCHEMA = ROOT / "docs" / "probe-definition.schema.json"
DILEMMAS = (ROOT / "examples" / "dilemmas.yaml").read_bytes()


def written() -> str:
    """Write the schema; `python -m tests.desktop.core.llm.test_definition_page` publishes it."""
    schema = Definition.model_json_schema()
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    assert SCHEMA.read_text() == written()


def test_the_schema_takes_what_the_program_takes() -> None:
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))

    schema.validate(definition_text.read_text(DILEMMAS))
    schema.validate(definition_text.read_text(_examples()[0].encode()))


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param({"id": "a"}, id="no prompt"),
        pytest.param({"id": "a", "prompt": "b", "promt": "c"}, id="an unknown field"),
        pytest.param({"id": "a", "prompt": 5}, id="a number for a text"),
        pytest.param({"id": "a", "prompt": "b", "options": {"A": 1, "B": 2}}, id="no values"),
        pytest.param({"id": "a", "prompt": "b", "vary": {"who": "x"}}, id="no list"),
    ],
)
def test_the_schema_refuses_what_the_program_refuses(scenario: dict[str, object]) -> None:
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))

    assert not schema.is_valid({"name": "x", "scenarios": [scenario]})


def test_every_field_is_told_on_the_page() -> None:
    for model in (Definition, ScenarioFields, SamplingFields):
        for name in model.model_fields:
            assert f"`{name}`" in PAGE, name


def test_the_pages_own_example_runs() -> None:
    made = expand(definition.read(_examples()[0].encode()))

    assert [scenario.id for scenario in made] == [
        "surprise-party",
        "surprise-party/swapped",
        *(f"promise/{number}" for number in range(1, 5)),
    ]


def _examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


if __name__ == "__main__":
    SCHEMA.write_text(written())
