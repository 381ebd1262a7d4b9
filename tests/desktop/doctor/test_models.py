"""The doctor tells which models can be asked, and shows no key."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.llm.rules import LlmRules
from desktop.core.llm.types import Endpoint
from desktop.core.policy import Policy
from desktop.doctor.finding import Finding
from desktop.doctor.models import examine_models
from desktop.system.paths import Paths
from tests.llm_servers.fixtures import KEY
from tests.llm_servers.llamacpp import LlamaServer


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths(data=tmp_path, config=tmp_path)
    made.keys.mkdir(parents=True)
    return made


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def found(paths: Paths, *endpoints: Endpoint) -> list[Finding]:
    return list(examine_models(paths, Policy(llm=LlmRules(endpoints=endpoints))))


def about(findings: list[Finding], name: str) -> Finding:
    (one,) = (finding for finding in findings if f"'{name}'" in finding.sentence)
    return one


def test_an_endpoint_of_the_owner_s_that_answers_is_well(llama: LlamaServer, paths: Paths) -> None:
    findings = found(paths, Endpoint(name="house", base_url=llama.base_url, is_local=True))
    assert about(findings, "house").is_well
    assert not any("openai" in finding.sentence for finding in findings)


def test_one_that_does_not_answer_says_what_to_do(paths: Paths, nobody: str) -> None:
    finding = about(found(paths, Endpoint(name="house", base_url=nobody)), "house")
    assert not finding.is_well
    assert "policy" in finding.hint


def test_a_missing_key_says_how_to_keep_it(paths: Paths, nobody: str) -> None:
    house = Endpoint(name="house", base_url=nobody, key_name="HOUSE_KEY")
    (finding,) = (one for one in found(paths, house) if not one.is_well)
    assert "HOUSE_KEY" in finding.sentence
    assert finding.hint.endswith("deskhand keys set HOUSE_KEY")


def test_a_key_is_named_and_never_shown(llama_with_key: LlamaServer, paths: Paths) -> None:
    paths.key_file("HOUSE_KEY").write_text(KEY)
    house = Endpoint(name="house", base_url=llama_with_key.base_url, key_name="HOUSE_KEY")
    findings = found(paths, house)
    assert about(findings, "house").is_well
    assert "HOUSE_KEY" in findings[0].sentence
    assert not any(KEY in str(finding) for finding in findings)


def test_the_doctor_imports_no_library_of_a_provider_s() -> None:
    code = (
        "import sys, desktop.doctor.models;"
        "sys.exit(bool({'openai', 'pydantic_ai', 'tiktoken', 'httpx2', 'numpy'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
