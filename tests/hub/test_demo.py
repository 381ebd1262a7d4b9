"""The demo tells the truth, and cleans up however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import psutil
import pytest

from hub.demo.programs import DemoFailed, Programs, free_port

WHOLE_SECONDS = 178.0


async def start_demo(*arguments: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "demo", *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip


def left_behind(folder: Path) -> list[str]:
    """Files, and processes that were told of the folder."""
    files = [str(path) for path in folder.iterdir()]
    processes = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if str(folder) in command and process.pid != os.getpid():
            processes.append(command)
    return files + processes


@pytest.mark.flow
@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_the_demo_trains_predicts_and_survives_a_kill(tmp_path: Path) -> None:
    demo = await start_demo("--json", folder=tmp_path)
    out, transcript = await asyncio.wait_for(demo.communicate(), WHOLE_SECONDS)
    told = transcript.decode()
    assert demo.returncode == 0, told
    summary = json.loads(out.decode().splitlines()[-1])
    assert out.decode().count("\n") == 1
    assert set(summary) == {
        "ok", "seconds", "tasks", "questions", "answers", "model", "predicted_rows", "recovered",
    }  # fmt: skip
    assert (summary["ok"], summary["recovered"], summary["tasks"]) == (True, True, 4)
    assert summary["questions"] == summary["answers"] >= 3
    assert summary["model"]["target"] == "arrival"
    assert 0.6 < summary["model"]["score"] < 0.9
    assert summary["predicted_rows"] == 700
    assert 5 < summary["seconds"] < WHOLE_SECONDS
    for said in (
        "you ▸ /train",
        "What should I predict?",
        "700 rows predicted",
        "Training again from the start (it changes nothing else).",
    ):
        assert said in re.sub(r"\n\s+", " ", told)
    assert left_behind(tmp_path) == []


@pytest.mark.flow
@pytest.mark.timeout(200)
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
async def test_the_demo_of_code_mends_a_bug_and_pushes_a_branch(tmp_path: Path) -> None:
    demo = await start_demo("code", "--json", folder=tmp_path)
    out, transcript = await asyncio.wait_for(demo.communicate(), WHOLE_SECONDS)
    told = re.sub(r"\n\s+", " ", transcript.decode())
    assert demo.returncode == 0, told
    summary = json.loads(out.decode().splitlines()[-1])
    assert summary["tests"] == {"failed_before": 3, "passed": 9, "failed": 0}
    assert summary["questions"] == summary["answers"] == 2
    assert re.fullmatch(r"[0-9a-f]{40}", summary["commit"])
    assert summary["branch"].startswith("deskhand/")
    for said in (
        "The tests expect days in UTC, but the settings say Europe/Berlin. Which one is right?",
        "It wants to push",
        "+    return datetime.fromisoformat(sale.time).astimezone(UTC).date()",
        "First version",
    ):
        assert said in told or said in transcript.decode()
    assert left_behind(tmp_path) == []


@pytest.mark.flow
@pytest.mark.timeout(200)
async def test_the_demo_of_plans_writes_a_page_and_cites_its_steps(tmp_path: Path) -> None:
    demo = await start_demo("plan", "--json", folder=tmp_path)
    out, transcript = await asyncio.wait_for(demo.communicate(), WHOLE_SECONDS)
    told = re.sub(r"\n\s+", " ", transcript.decode())
    assert demo.returncode == 0, told
    summary = json.loads(out.decode().splitlines()[-1])
    assert (summary["steps"], summary["done"], summary["questions"]) == (4, 4, 2)
    assert summary["files"] == ["bakery risks.md"]
    for said in (
        "Who is going to read the summary?",
        "4. Write the page (files.write, writes files, after 3)",
        "Sample Hotel takes 58 % of the bread, and its contract ends in January [1].",
        "[4] Write the page (bakery risks.md)",
        "1. One customer takes 58 % of the bread",
    ):
        assert said in told
    assert left_behind(tmp_path) == []


@pytest.mark.flow
@pytest.mark.timeout(200)
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
async def test_the_demo_of_the_fleet_goes_up_works_and_goes_down(tmp_path: Path) -> None:
    demo = await start_demo("fleet", "--jobs", "45", "--json", folder=tmp_path)
    out, transcript = await asyncio.wait_for(demo.communicate(), WHOLE_SECONDS)
    told = re.sub(r"\n\s+", " ", transcript.decode())
    assert demo.returncode == 0, told
    summary = json.loads(out.decode().splitlines()[-1])
    assert (summary["jobs"], summary["succeeded_once"], summary["started"]) == (45, 45, 45)
    assert 1 <= summary["nodes_most"] <= 3
    assert summary["steps_up"] >= 1
    assert summary["steps_down"] >= 1
    for said in ("more than free slots take: start", "idle for 6 s: drain", "No node is left"):
        assert said in told
    assert left_behind(tmp_path) == []


@pytest.mark.flow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_a_demo_that_is_stopped_leaves_nothing_behind(
    tmp_path: Path, ending: signal.Signals
) -> None:
    demo = await start_demo(folder=tmp_path)
    assert demo.stdout is not None
    async with asyncio.timeout(40):
        async for line in demo.stdout:
            if b"is ready" in line:
                break
    demo.send_signal(ending)
    rest, _ = await asyncio.wait_for(demo.communicate(), 20)
    assert demo.returncode == 1
    assert rest.decode().endswith("\nStopped; nothing is left behind.\n")
    assert left_behind(tmp_path) == []


async def test_a_program_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs, pytest.raises(DemoFailed) as caught:
        await programs.run("desktop", ["samples"], 30)
    assert "`desktop samples` failed" in str(caught.value)
    assert "folder" in str(caught.value)


async def test_a_program_that_dies_ends_the_wait_for_it(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs:
        programs.start("hub", "hub", ["serve", "--port", "99999"])
        with pytest.raises(DemoFailed) as caught:
            await programs.until(lambda: False, 30, "The hub did not start to listen.")
        assert str(caught.value) == "The hub did not start to listen. hub ended."
        assert "HUB_PORT" in "\n".join(programs.last_lines()["hub"])


async def test_programs_end_with_their_block(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs:
        arguments = ["serve", "--port", str(free_port()), "--data", str(tmp_path / "data")]
        programs.start("hub", "hub", arguments)
        key = tmp_path / "data" / "admin.key"
        await programs.until(key.exists, 30, "The hub did not start.")
    assert [p for p in left_behind(tmp_path) if "serve" in p] == []
