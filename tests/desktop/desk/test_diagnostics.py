"""The file for a report: useful, and nothing private in it, wherever that was planted."""

from __future__ import annotations

import json
import logging
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from desktop.core.policy import Policy
from desktop.desk.diagnostics import file_name, save
from desktop.doctor.network import clock
from desktop.system.credentials import write_file
from desktop.system.diagnostics import Cleaner
from desktop.system.policy_file import save_policy
from shared import logs
from shared.errors import Unavailable
from shared.redaction import BLOT
from tests.desktop.gui.world import open_desk

TOKEN = "plain-words-token-of-no-known-shape-0815"
PLANTED = (
    TOKEN,
    "dh_worker_0123456789abcdef",
    "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "sk-canary-0123456789abcdef",
    "AIzaSyA0123456789abcdefghijklmnopqrstu",
    "xai-0123456789abcdef0123",
    "ghp_0123456789abcdefghijABCDEFGHIJ",
    "hunter2hunter2",
    "BCDF-GHJK",
    "salaries of 2025.csv",
)


@pytest.fixture
def plain_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.mark.usefixtures("plain_safe")
async def test_nothing_private_is_in_the_file_and_what_helps_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = tmp_path / "people" / "anna"
    folder = person / "Documents"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(person))
    async with open_desk(tmp_path / "profile") as (desk, _):
        write_file(desk.paths.token, TOKEN)
        desk.policy = Policy(folders=("~/Documents",))
        save_policy(desk.paths, desk.policy)
        desk.paths.log.parent.mkdir()
        lines = (
            f"token was {TOKEN} and {PLANTED[1]}",
            f"GET https://api.telegram.org/bot{PLANTED[2]}/getMe",
            f"keys {PLANTED[3]} {PLANTED[4]} {PLANTED[5]} {PLANTED[6]}",
            'password = "hunter2hunter2"',
            "opened deskhand://pair?hub=https://x.org&code=BCDF-GHJK",
            json.dumps({"path": str(folder / PLANTED[9]), "event": "read"}),
            f"cannot read {folder}/salaries of 2025.csv",
            "cannot read ~/Documents/salaries of 2025.csv",
            "link went down",
        )
        desk.paths.log.write_text("\n".join(lines) + "\n")
        target = await save(desk, tmp_path / file_name(desk.environment.now()), stalls=3)
    with zipfile.ZipFile(target) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "\n".join(parts.values())
    for secret in PLANTED:
        assert secret not in everything
    assert str(person) not in everything
    assert set(parts) >= {"versions.txt", "doctor.txt", "policy.toml", "store.json", "state.json"}
    assert 'folders = ["~/Documents"]' in parts["policy.toml"]
    assert "link went down" in parts["logs/deskhand.log"]
    assert "a file in folder 1" in parts["logs/deskhand.log"]
    assert json.loads(parts["store.json"])["fact"] > 0
    assert json.loads(parts["state.json"])["window stalls over 50 ms"] == 3
    assert "Policy" in parts["doctor.txt"]


@pytest.mark.usefixtures("plain_safe")
async def test_a_folder_that_takes_no_file_says_so(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "profile") as (desk, _):
        with pytest.raises(Unavailable) as caught:
            await save(desk, tmp_path / "nowhere" / "x.zip")
    assert caught.value.code == "diagnostics_not_saved"


def test_a_folder_of_windows_is_known_also_as_json_writes_it() -> None:
    cleaner = Cleaner(Path("/home/anna"), [Path("C:\\data")])
    told = json.dumps({"path": "C:\\data\\secret plan.xlsx", "n": 1})
    assert "secret plan" not in cleaner.clean(told)
    assert '"n": 1' in cleaner.clean(told)


def test_the_log_stays_below_its_limit_and_keeps_the_newest(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "deskhand.log"
    before = logging.getLogger().handlers[:]
    try:
        logs.configure(json_lines=True, file=file)
        log = structlog.get_logger("flood")
        fields = dict.fromkeys("abcdefghij", "x" * 1900)
        for number in range(1400):
            log.warning("flood", number=number, token=TOKEN, **fields)
        sizes = [part.stat().st_size for part in file.parent.iterdir()]
        assert len(sizes) == logs.FILES_MAX
        assert sum(sizes) <= logs.FILE_BYTES_MAX
        last = json.loads(file.read_text().splitlines()[-1])
        assert last["number"] == 1399
        assert last["token"] == BLOT
    finally:
        for handler in logging.getLogger().handlers:
            handler.close()
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()


@pytest.mark.parametrize(
    ("told", "is_well", "words"),
    [
        ("Fri, 20 Nov 2026 12:00:00 GMT", True, "goes as"),
        ("Fri, 20 Nov 2026 11:59:10 GMT", True, "goes as"),
        ("Fri, 20 Nov 2026 10:00:00 GMT", False, "2 hours ahead of"),
        ("Fri, 20 Nov 2026 12:05:00 GMT", False, "5 minutes behind"),
        ("soon", True, "no time"),
    ],
)
def test_a_clock_that_is_off_is_told(told: str, is_well: bool, words: str) -> None:
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    found = clock(told, noon, noon)
    assert found.is_well is is_well
    assert words in found.sentence
