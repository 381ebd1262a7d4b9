"""The frozen job runner is, by a word, each of the programs that run in a job's box."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "frozen" / "deskhand_job.py"


def run(*words: str, said: str = "", home: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home)}
    argv = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(
        argv, input=said, capture_output=True, text=True, env=env, timeout=30, check=False
    )


def test_the_built_in_agent_greets(tmp_path: Path) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": 1}}
    done = run("builtin", said=json.dumps(hello) + "\n", home=tmp_path)
    assert json.loads(done.stdout)["result"]["agentInfo"]["name"] == "deskhand"
    assert done.returncode == 0


def test_the_relay_says_what_it_wants(tmp_path: Path) -> None:
    done = run("relay", home=tmp_path)
    assert "PORT SOCKET -- COMMAND" in done.stderr


def test_the_server_of_ask_human_ends_with_its_input(tmp_path: Path) -> None:
    assert run("ask-human", "9", home=tmp_path).returncode == 0
