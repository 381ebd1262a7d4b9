"""The demo tells the truth, and cleans up however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
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
