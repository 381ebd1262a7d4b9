"""The servers that other tests ask are what they claim to be."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.llm_servers import gguf
from tests.llm_servers.aimock import Aimock
from tests.llm_servers.llamacpp import LlamaServer


def post(url: str, body: object, key: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def question(model: str = "tiny", text: str = "A or B?") -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], "seed": 1}


def test_the_same_seed_makes_the_same_model(tmp_path: Path) -> None:
    hashes = [
        hashlib.sha256(gguf.write(tmp_path / "m.gguf", seed).read_bytes()).hexdigest()
        for seed in (0, 0, 1)
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_both_models_of_the_server_answer_and_come_to_an_end(llama: LlamaServer) -> None:
    for model in llama.models:
        said = post(f"{llama.base_url}/chat/completions", question(model))
        assert said["choices"][0]["finish_reason"] == "stop"
        assert said["choices"][0]["message"]["content"].strip()


def test_the_tiny_model_mostly_begins_with_a_choice(llama: LlamaServer) -> None:
    said = [
        post(f"{llama.base_url}/chat/completions", question() | {"seed": seed})["choices"][0]
        for seed in range(30)
    ]
    letters = [one["message"]["content"][:1] for one in said]
    assert letters.count("A") + letters.count("B") > 15
    assert {"A", "B"} <= set(letters)


def test_the_server_with_a_key_lets_nobody_in_without_it(llama_with_key: LlamaServer) -> None:
    url = f"{llama_with_key.base_url}/chat/completions"
    with pytest.raises(urllib.error.HTTPError) as told:
        post(url, question())
    assert told.value.code == 401
    told.value.close()
    assert post(url, question(), llama_with_key.key)["choices"]


def test_the_narrow_server_overflows(llama_narrow: LlamaServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as told:
        post(f"{llama_narrow.base_url}/chat/completions", question(text="truth " * 300))
    assert told.value.code == 400
    assert json.loads(told.value.read())["error"]["type"] == "exceed_context_size_error"


def test_aimock_says_what_it_was_taught_and_tells_what_came(aimock: Aimock) -> None:
    aimock.teach({"match": {"userMessage": "trolley"}, "response": {"content": "B, I think."}})
    said = post(f"{aimock.openai_url}/chat/completions", question("gpt-x", "a trolley"))
    assert said["choices"][0]["message"]["content"] == "B, I think."
    assert aimock.journal()[-1]["path"] == "/v1/chat/completions"


def test_aimock_fails_as_it_is_told(aimock: Aimock) -> None:
    aimock.teach({"match": {"userMessage": "trolley"}, "response": {"content": "B"}})
    aimock.chaos(rateLimitRate=1.0)
    with pytest.raises(urllib.error.HTTPError) as told:
        post(f"{aimock.openai_url}/chat/completions", question("gpt-x", "a trolley"))
    assert told.value.code == 429
    assert told.value.headers["Retry-After"]
    told.value.close()
