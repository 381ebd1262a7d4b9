"""`deskhand probe` as a person uses it: real programs, a real server of models, a real terminal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.store import copied, facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.transcripts import opening, pages, reading
from desktop.store.transcripts.records import CellFacts
from desktop.system.credentials import write_file
from desktop.system.paths import Paths, find_paths
from shared.database import peek
from shared.ids import WorkerId
from tests.flows import terminal
from tests.flows.terminal import Terminal
from tests.llm_servers.llamacpp import LlamaServer

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("local:tiny", "local:tiny2")
SECONDS = 120.0
NOWHERE = Pairing(
    hub_url="http://127.0.0.1:1",
    worker_id=WorkerId("01900000-0000-7000-8000-00000000aaaa"),
    worker_name="anna-pc",
    hub_name="hub",
    person_name="Anna",
)
DEFINITION = """
name: dilemmas
preamble: Answer with one letter.
options: {A: honesty, B: kindness}
scenarios:
  - id: gift
    prompt: "{{who}} asks whether you like the gift. A: tell, B: praise."
    vary:
      who: [a friend, a child, a boss, a nurse, a cook]
"""


@pytest.fixture
def paths(tmp_path: Path, llama: LlamaServer) -> Paths:
    """A machine that belongs to no hub, with a local server of models."""
    paths = find_paths(tmp_path / "home")
    paths.make()
    paths.policy.write_text(
        "disk_free_bytes_min = 0\n[[llm.endpoints]]\n"
        f'name = "local"\nbase_url = "{llama.base_url}"\nis_local = true\n'
    )
    return paths


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    file = tmp_path / "elsewhere" / "dilemmas.yaml"
    file.parent.mkdir()
    file.write_text(DEFINITION)
    return file


def command(paths: Paths, *words: object) -> list[str]:
    return [sys.executable, "-m", "desktop", "--home", str(paths.home), *map(str, words)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def said(paths: Paths, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(paths, *words), cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_machine_without_a_hub_asks_and_shows_what_came(paths: Paths, definition: Path) -> None:
    done = said(paths, "probe", definition, "--models", ",".join(MODELS), "--repeats", 2, "--json")
    told = json.loads(done.stdout)
    assert done.returncode in (0, 6), done.stderr
    assert done.stderr == ""
    assert told["state"] == "succeeded"
    assert told["total"] == told["answered"] + told["refused"] + told["failed"] == 20
    assert told["statistics"]["total"] == 20
    assert all(Path(plot).stat().st_size > 0 for plot in told["plots"])
    assert not list(paths.data.glob("alone-*"))
    [run] = json.loads(said(paths, "runs", "--json").stdout)
    assert (run["run"], run["name"], run["total"]) == (told["run"], "dilemmas", 20)
    shown = said(paths, "transcript", "1", "0").stdout
    assert "Answer with one letter." in shown
    assert "a friend asks whether you like the gift." in shown


def test_what_came_is_told_in_words_with_where_it_all_is(paths: Paths, definition: Path) -> None:
    done = said(paths, "probe", definition, "--models", "local:tiny")
    lines = done.stdout.splitlines()
    assert any(line.startswith("5 of 5 · 100 %") for line in lines)
    assert any(line.startswith("local:tiny ") for line in lines)
    assert any(line.startswith(f"Plots: {paths.runs}") for line in lines)
    assert any(line.startswith("Transcripts: deskhand transcript ") for line in lines)


def test_transcripts_are_written_for_other_programs(
    paths: Paths, definition: Path, tmp_path: Path
) -> None:
    told = ("--models", "local:tiny", "--export", "jsonl", "--out", tmp_path, "--json")
    [file] = json.loads(said(paths, "probe", definition, *told).stdout)["exported"]
    assert Path(file).parent == tmp_path
    for form in ("inspect", "jsonl", "csv"):
        folder = tmp_path / form
        folder.mkdir()
        done = said(paths, "transcript", "1", "--export", form, "--out", folder)
        [written] = folder.iterdir()
        assert done.stdout == f"Exported: {written}\n"
        assert len(written.read_text()) > 500


def test_a_definition_that_is_wrong_is_told_with_its_place(paths: Paths, definition: Path) -> None:
    definition.write_text(DEFINITION.replace("prompt:", "promt:"))
    done = said(paths, "probe", definition, "--models", "local:tiny")
    assert done.returncode == 1
    assert "promt" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_question_that_nobody_can_answer_ends_it(paths: Paths, definition: Path) -> None:
    done = said(paths, "probe", definition)
    assert done.returncode == 1
    assert "local:tiny" in done.stderr
    assert "Say it with an option" in done.stderr


def test_a_place_that_refuses_the_key_costs_its_own_probes_alone(
    paths: Paths, definition: Path, llama_with_key: LlamaServer
) -> None:
    """Nobody is at the terminal, so what is asked about it is answered by its default."""
    paths.policy.write_text(
        f'{paths.policy.read_text()}[[llm.endpoints]]\nname = "guarded"\n'
        f'base_url = "{llama_with_key.base_url}"\nkey_name = "GUARDED_KEY"\n'
    )
    done = subprocess.run(
        command(paths, "probe", definition, "--models", "local:tiny,guarded:tiny"),
        cwd=ROOT, env=environment() | {"GUARDED_KEY": "sk-wrong"}, capture_output=True, text=True,
        timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in (0, 6), done.stderr
    assert "> Go on without" in done.stdout
    assert "sk-wrong" not in done.stdout + done.stderr


def test_ctrl_c_stops_it_and_it_goes_on_where_it_was(paths: Paths, definition: Path) -> None:
    with at_terminal(
        paths, "probe", definition, "--models", ",".join(MODELS), "--repeats", 200
    ) as at:
        at.until_done(5)
        at.press_ctrl_c()
        at.until("Go on with: deskhand probe --resume")
        assert at.exit_code() == 130
    before = ended_at(paths)
    assert 0 < len(before) < 2000
    with at_terminal(paths, "probe", "--resume", "1") as at:
        at.until_done(len(before) + 5)
        at.press_ctrl_c()
        at.until("Stopping")
        at.press_ctrl_c()
        assert at.exit_code() == 130
    after = ended_at(paths)
    assert len(after) > len(before)
    assert {index: after[index] for index in before} == before, "none was asked again"


def test_the_program_that_runs_does_it(paths: Paths, definition: Path) -> None:
    """Its hub is away, the file is in no folder of its policy, and nobody sees the parts."""
    with open_store(paths.store) as database:
        database.submit(lambda c: facts.save_pairing(c, NOWHERE)).result()
    write_file(paths.token, "dh_worker_x_secret")
    with headless(paths):
        done = said(paths, "probe", definition, "--models", "local:tiny", "--json")
        of_name = said(paths, "probe", "dilemmas", "--models", "local:tiny", "--scenarios", 3)
    told = json.loads(done.stdout)
    assert (told["state"], told["total"]) == ("succeeded", 5), done.stderr
    assert of_name.returncode == 0, of_name.stderr
    assert "3 of 3" in of_name.stdout
    with peek(paths.store) as connection:
        rows = copied.newest(connection, 10)
    assert {row.kind for row in rows} == {"llm.run", "llm.stats"}
    assert told["job"] in {row.job_id for row in rows}


def ended_at(paths: Paths) -> dict[int, object]:
    """When each probe of the newest run that has an end had it."""
    with opening.reading(paths.data) as connection:
        run_id = reading.run_named(connection, None)
        found: list[CellFacts] = []
        after = -1
        while (page := pages.cells(connection, run_id, after=after, count=1000)).cells:
            found += page.cells
            after = page.cells[-1].cell.index
    return {one.cell.index: one.ended_at for one in found if one.ended_at is not None}


@contextlib.contextmanager
def headless(paths: Paths) -> Iterator[None]:
    with subprocess.Popen(
        command(paths, "--headless"), cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as worker:  # fmt: skip
        try:
            assert worker.stdout is not None
            assert any("cannot be reached" in line for line in iter(worker.stdout.readline, ""))
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(SECONDS)


@contextlib.contextmanager
def at_terminal(paths: Paths, *words: object) -> Iterator[Terminal]:
    with terminal.at_terminal(command(paths, *words), environment()) as opened:
        yield opened
