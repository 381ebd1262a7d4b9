"""`python -m desktop.jobs.llm.probe`: one JSON object in, one out, whatever happens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop.core.llm.fault import FaultClass
from desktop.jobs.llm import probe_program
from desktop.jobs.llm.probe_program import Wish
from tests.llm_servers.fixtures import KEY
from tests.llm_servers.llamacpp import LlamaServer

SCENARIO = {
    "prompt": "Do you pull the lever? A or B?",
    "followups": ["Why?"],
    "options": {"A": "save", "B": "let"},
    "preamble": "Be brief.",
    "sampling": {"seed": 7, "temperature": 0.5},
}
BOUND_SECONDS = 50
PAGE = Path(__file__).parents[4] / "docs" / "probe-program.md"


def place(server: LlamaServer, **more: str) -> dict[str, Any]:
    return {"name": "here", "base_url": server.base_url, "is_local": True, **more}


async def probe(asked: object, **keys: str) -> tuple[int, dict[str, Any]]:
    """Do what the program does, in this process: its start takes seconds."""
    out = io.StringIO()
    words = asked if isinstance(asked, str) else json.dumps(asked)
    code = await probe_program.answer(words, out, keys)
    (line,) = out.getvalue().splitlines()
    return code, json.loads(line)


def run(asked: object, **keys: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """Run the program; return its exit code, its object and its log."""
    done = subprocess.run(
        [sys.executable, "-m", "desktop.jobs.llm.probe"],
        input=asked if isinstance(asked, str) else json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
        env={**os.environ, **keys},
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    return done.returncode, json.loads(lines[0]), [json.loads(s) for s in done.stderr.splitlines()]


def test_a_probe_brings_its_result_and_its_log(llama: LlamaServer) -> None:
    asked = {"scenario": SCENARIO, "model": "here:tiny2", "endpoints": [place(llama)]}
    code, told, logged = run(asked)
    assert code == 0
    result = told["result"]
    assert (result["model"], result["state"], result["cost_usd"]) == ("here:tiny2", "answered", 0)
    assert [turn["asked"] for turn in result["turns"]] == [SCENARIO["prompt"], "Why?"]
    assert result["turns"][0]["reply"]["sent"]["seed"] == 7
    assert result["turns"][1]["reply"]["first_token_ms"] > 0
    assert [line["event"] for line in logged] == ["turn finished", "turn finished"]


def test_a_program_that_cannot_says_why_and_nothing_else() -> None:
    code, told, logged = run("{")
    assert code == 1
    assert told["error"]["code"] == "INPUT_WRONG"
    assert [line["event"] for line in logged] == ["probe failed"]


async def test_turns_that_are_handed_in_are_not_asked_again(llama: LlamaServer) -> None:
    asked = {"scenario": SCENARIO, "model": "here:tiny", "endpoints": [place(llama)]}
    _, told = await probe(asked)
    first = told["result"]["turns"][:1]
    code, again = await probe({**asked, "turns": first})
    assert code == 0
    assert again["result"]["turns"][:1] == first
    assert len(again["result"]["turns"]) == 2
    _, other = await probe({**asked, "turns": [{**first[0], "asked": "What else?"}]})
    assert other["error"]["code"] == "INPUT_WRONG"


async def test_a_key_is_taken_from_the_environment(llama_with_key: LlamaServer) -> None:
    here = place(llama_with_key, key_name="HERE_API_KEY")
    asked = {"scenario": SCENARIO, "model": "here:tiny", "endpoints": [here]}
    code, _ = await probe(asked, HERE_API_KEY=KEY)
    assert code == 0
    code, told = await probe(asked, HERE_API_KEY="sk-wrong-0123456789")
    assert code == 1
    assert told["error"]["code"] == "AUTH_ERROR"
    assert told["error"]["http_status"] == 401
    assert told["error"]["retryable"] is False


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("", "INPUT_WRONG"),
        ("{", "INPUT_WRONG"),
        ("[]", "INPUT_WRONG"),
        ({"model": "local:x"}, "INPUT_WRONG"),
        ({"scenario": {"prompt": "Hi"}, "model": "local:x", "more": 1}, "INPUT_WRONG"),
        ({"scenario": {"prompt": 1}, "model": "local:x"}, "DEFINITION_WRONG"),
        ({"scenario": {"prompt": "Hi"}, "model": "nobody knows"}, "UNSUPPORTED_PROVIDER"),
        ({"scenario": {"prompt": "Hi"}, "model": "openai:gpt-5-mini"}, "MISSING_API_KEY"),
    ],
    ids=["nothing", "broken", "list", "half", "more", "prompt", "model", "key"],
)
async def test_whatever_is_wrong_is_told_as_one_object(asked: object, code: str) -> None:
    exit_code, told = await probe(asked, OPENAI_API_KEY="")
    assert exit_code == 1
    assert told["error"]["code"] == code
    assert told["error"]["hint"]
    assert told["turns"] == []


async def test_nobody_there_is_an_error_that_may_pass() -> None:
    nowhere = {"name": "here", "base_url": "http://127.0.0.1:9/v1", "is_local": True}
    asked = {"scenario": {"prompt": "Hi"}, "model": "here:m", "endpoints": [nowhere]}
    exit_code, told = await probe(asked)
    assert exit_code == 1
    assert told["error"]["code"] == "NETWORK"
    assert told["error"]["retryable"] is True


async def test_the_page_about_it_tells_what_goes_in_and_what_comes_out(llama: LlamaServer) -> None:
    page = PAGE.read_text()
    asked = json.loads(page.split("```json\n")[1].split("```")[0])
    asked["endpoints"][0]["base_url"] = llama.base_url
    code, told = await probe(asked)
    assert code == 0
    _, failed = await probe({**asked, "model": "nobody knows"})
    reply = told["result"]["turns"][0]["reply"]
    fields = {*told["result"], *told["result"]["turns"][0], *reply, *failed["error"]}
    assert [name for name in fields if f"`{name}`" not in page] == []
    assert [name for name in Wish.model_fields if f"`{name}`" not in page] == []
    assert [kind for kind in FaultClass if kind != "CANCELLED" and f"`{kind}`" not in page] == []


@pytest.mark.parametrize(
    ("base_url", "key_name"),
    [
        ("https://evil.example/v1", "OPENAI_API_KEY"),
        ("http://evil.example/v1", "HOUSE_KEY"),
        ("https://a:b@evil.example/v1", ""),
    ],
    ids=["a maker's key elsewhere", "a key for everybody to read", "a key in the address"],
)
async def test_a_wish_leads_no_key_astray(base_url: str, key_name: str) -> None:
    away = {"name": "away", "base_url": base_url, "key_name": key_name}
    wish = {"scenario": SCENARIO, "model": "away:m", "endpoints": [away]}
    code, told = await probe(wish, OPENAI_API_KEY="sk-canary", HOUSE_KEY="sk-canary")
    assert code == 1
    assert told["error"]["code"] == "INPUT_WRONG"
    assert "away" in told["error"]["message"]
    assert "sk-canary" not in json.dumps(told)
