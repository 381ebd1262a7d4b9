"""`deskhand-hub demo [code|plan|fleet]`: a round trip here, in a folder that is thrown away.

Everything is real: the hub and the worker are child processes started by their own commands, the
person's side speaks the chat socket, and every number of the summary is read back from the hub.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from pydantic import JsonValue

from hub.demo.code_play import CodePlay
from hub.demo.fleet_play import FleetPlay
from hub.demo.plan_play import PlanPlay
from hub.demo.play import Play
from hub.demo.programs import Programs, free_port
from hub.frontends.transcript import Transcript
from shared.errors import AppError

WHOLE_SECONDS = 175.0


class DemoStopped(Exception):
    """Somebody pressed Ctrl-C, or asked the process to end."""


class Scene(StrEnum):
    """What is played."""

    MODELS = "models"
    """A model is trained, predicts, and the worker is killed in the middle of another."""
    CODE = "code"
    """A bug is mended by an agent in its sandbox."""
    PLAN = "plan"
    """A task in plain words is planned, approved and carried out."""
    FLEET = "fleet"
    """Five hundred jobs go through a broker to nodes that come and go with the work."""


PLAYS: Mapping[Scene, type[Play | CodePlay | PlanPlay | FleetPlay]] = {
    Scene.MODELS: Play,
    Scene.CODE: CodePlay,
    Scene.PLAN: PlanPlay,
    Scene.FLEET: FleetPlay,
}


def run_demo(scene: Scene = Scene.MODELS, *, as_json: bool, jobs: int | None = None) -> int:
    """Perform; 0 when all went well, 1 with what failed. Leaves no process and no file behind.

    `jobs` is how many the fleet is asked for; its own number when None.
    """
    out: TextIO = sys.stderr if as_json else sys.stdout
    transcript = Transcript(out)
    with tempfile.TemporaryDirectory(prefix="deskhand-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Programs(folder) as programs:
            play = PLAYS[scene](folder, programs, transcript, free_port())
            if jobs is not None and isinstance(play, FleetPlay):
                play.jobs = jobs
            try:
                summary = asyncio.run(_bounded(play))
            except DemoStopped:
                out.write("\nStopped; nothing is left behind.\n")
                return 1
            except (AppError, TimeoutError) as error:
                _tell_failure(out, programs, str(error) or "It took too long.")
                return 1
    play.tell(summary)
    if as_json:
        sys.stdout.write(json.dumps(summary, ensure_ascii=False) + "\n")
    return 0


async def _bounded(play: Play | CodePlay | PlanPlay | FleetPlay) -> dict[str, JsonValue]:
    """Perform within the time, and stop at SIGTERM as at Ctrl-C."""
    task = asyncio.current_task()
    if task is not None and os.name == "posix":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            return await play.perform()
    except asyncio.CancelledError:
        raise DemoStopped from None


def _tell_failure(out: TextIO, programs: Programs, why: str) -> None:
    out.write(f"\n⚠ The demo failed. {why}\n")
    for name, lines in programs.last_lines().items():
        out.write(f"\nLast lines of the {name}:\n")
        out.writelines(f"  {line}\n" for line in lines)
