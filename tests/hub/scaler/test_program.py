"""`deskhand-hub scaler`: what it needs is imported when it is needed, and outages do not end it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from hub.demo.programs import free_port

SAMPLE = Path(__file__).parents[3] / "packaging" / "fleet" / "fleet.toml"
HEAVY = """
import sys
from pathlib import Path
from hub.scaler.program import _scaler
_scaler(Path(sys.argv[1]), "http://127.0.0.1:9", "key")
print(sorted({"docker", "kubernetes", "httpx", "celery", "kombu", "redis"} & set(sys.modules)))
"""
END_SECONDS = 30.0


async def started(*arguments: str) -> asyncio.subprocess.Process:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, "HUB_KEY": "dh_the_key"},
    )  # fmt: skip


async def test_a_scaler_of_processes_imports_no_other_host_s_libraries() -> None:
    program = await started("-c", HEAVY, str(SAMPLE))
    printed, complaint = await asyncio.wait_for(program.communicate(), END_SECONDS)
    assert printed.decode().strip() == "[]", complaint.decode()


async def test_a_plan_without_a_hub_says_so_and_fails() -> None:
    hub = f"http://127.0.0.1:{free_port()}"
    program = await started(
        "-m", "hub", "scaler", "plan", "--pools", str(SAMPLE), "--hub", hub
    )  # fmt: skip
    printed, complaint = await asyncio.wait_for(program.communicate(), END_SECONDS)
    assert (program.returncode, printed) == (1, b"")
    assert f"No hub answers at {hub}" in complaint.decode()


async def test_a_file_that_cannot_be_used_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text('[[pools]]\nname = "x"\n')
    program = await started(
        "-m", "hub", "scaler", "run", "--pools", str(tmp_path / "fleet.toml"), "--hub", "http://x"
    )
    _, complaint = await asyncio.wait_for(program.communicate(), END_SECONDS)
    assert program.returncode == 1
    assert "pools[1].kinds is missing (line 1)" in complaint.decode()


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
async def test_a_scaler_outlives_a_hub_that_is_away_and_ends_when_it_is_told() -> None:
    hub = f"http://127.0.0.1:{free_port()}"
    program = await started(
        "-m", "hub", "scaler", "run", "--pools", str(SAMPLE), "--hub", hub, "--json",
        "--every", "0.1",
    )  # fmt: skip
    assert program.stdout is not None
    async with asyncio.timeout(END_SECONDS):
        said = [json.loads(await program.stdout.readline()) for _ in range(3)]
    assert {line["event"] for line in said} == {"fleet_unknown"}
    assert {line["code"] for line in said} == {"hub_unreachable"}
    program.send_signal(signal.SIGTERM)
    rest, complaint = await asyncio.wait_for(program.communicate(), END_SECONDS)
    assert program.returncode == 0, complaint.decode()
    assert b"dh_the_key" not in rest + complaint
