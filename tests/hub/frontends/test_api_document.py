"""The OpenAPI document tells enough to use the API without reading its code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hub.frontends.api.document import TAGS, Operation, operations
from tests.hub.frontends.world import open_world

Object = dict[str, Any]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Object:
    async def read(folder: Path) -> Object:
        async with open_world(folder) as world:
            told: Object = (await world.rest.get("/openapi.json")).json()
            return told

    return asyncio.run(read(tmp_path_factory.mktemp("hub")))


def bodies(operation: Operation) -> Iterator[tuple[str, Object]]:
    """Each JSON body of an operation, with where it stands."""
    request = operation.told.get("requestBody", {}).get("content", {})
    for media, content in request.items():
        yield f"{operation.name} takes {media}", content
    for status, answer in operation.told["responses"].items():
        for media, content in answer.get("content", {}).items():
            if "json" in media:
                yield f"{operation.name} answers {status} {media}", content


def test_it_is_openapi_3_1(document: Object) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["description"]


def test_every_operation_is_named_worded_and_filed(document: Object) -> None:
    found = list(operations(document))
    assert len({operation.name for operation in found}) == len(found)
    described = {tag["name"] for tag in document["tags"]}
    for operation in found:
        told = operation.told
        assert 8 < len(told["summary"]) < 100, operation.name
        assert set(told["tags"]) <= described <= set(TAGS), operation.name
        assert "security" in told, operation.name


def test_every_body_has_an_example_that_fits_it(document: Object) -> None:
    count = 0
    for operation in operations(document):
        for where, content in bodies(operation):
            assert "example" in content, where
            schema = {**content["schema"], "components": document["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
            faults = [fault.message for fault in validator.iter_errors(content["example"])]
            assert not faults, (where, faults)
            count += 1
    assert count > 100


def test_problems_are_told_where_they_can_occur(document: Object) -> None:
    by_name = {operation.name: operation for operation in operations(document)}
    told = {name: set(operation.told["responses"]) for name, operation in by_name.items()}
    assert told["get_health"] == {"200", "503"}
    assert told["get_job"] == {"200", "401", "403", "404", "422", "503"}
    assert {"412", "428"} <= told["update_task"]
    changing = {name for name, answers in told.items() if "412" in answers}
    assert changing == {"update_task", "update_webhook"}
    assert [name for name, answers in told.items() if "410" in answers] == ["create_token"]


def test_what_makes_something_links_to_what_reads_it(document: Object) -> None:
    by_name = {operation.name: operation for operation in operations(document)}
    _, made = by_name["create_task"].success
    assert made["links"]["get_task"]["parameters"] == {"task_id": "$response.body#/task_id"}
    assert made["headers"]["Location"]["required"]
    for operation in by_name.values():
        for link in operation.success[1].get("links", {}).values():
            assert set(link["parameters"]) <= set(by_name[link["operationId"]].path_names)


def test_limits_stand_where_json_schema_has_them(document: Object) -> None:
    assert '"ge"' not in json.dumps(document)
    assert '"le"' not in json.dumps(document)


def test_no_schema_has_the_name_of_a_module(document: Object) -> None:
    assert not [name for name in document["components"]["schemas"] if "__" in name]


def test_every_post_that_makes_something_takes_an_idempotency_key(document: Object) -> None:
    for operation in operations(document):
        makes = operation.method == "post" and operation.success[0] in ("201", "202")
        names = [p["name"] for p in operation.told.get("parameters", [])]
        if makes and operation.told["security"]:
            assert "Idempotency-Key" in names, operation.name
