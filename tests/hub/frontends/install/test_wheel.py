"""The wheel a hub serves is one that pip takes, and always the same one."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hub.frontends.install.wheel import OwnWheel, pack
from shared.errors import Unavailable
from shared.requirements import lock_file


def test_the_same_files_give_the_same_wheel(tmp_path: Path) -> None:
    first, second = pack(tmp_path / "a"), pack(tmp_path / "b")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_the_wheel_brings_programs_samples_scripts_and_locks_and_nothing_local(
    tmp_path: Path,
) -> None:
    names = zipfile.ZipFile(pack(tmp_path)).namelist()
    for needed in (
        "desktop/__main__.py",
        "desktop/jobs/data/samples/flights.csv",
        "hub/frontends/install/worker.sh",
        "hub/frontends/install/page.html",
        "shared/requirements.py",
    ):
        assert needed in names
    with zipfile.ZipFile(pack(tmp_path)) as archive:
        for lock in ("worker", "worker-ml"):
            held = archive.read(f"desktop/locks/{lock}.txt")
            assert held == lock_file(lock).read_bytes()
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]
    assert not [name for name in names if name.endswith(("direct_url.json", "INSTALLER"))]


def test_an_installed_hub_packs_the_very_wheel_it_came_from(tmp_path: Path) -> None:
    wheel = pack(tmp_path / "source")
    installed = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    code = "import sys, pathlib; from hub.frontends.install import wheel as w; "
    code += "assert not w.is_source(w.ROOT); print(w.pack(pathlib.Path(sys.argv[1])))"
    packed = subprocess.run(
        [sys.executable, "-P", "-c", code, tmp_path / "again"],
        check=False,
        env=os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert packed.returncode == 0, packed.stderr
    assert Path(packed.stdout.strip()).read_bytes() == wheel.read_bytes()


def test_pip_installs_it_and_the_program_runs(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    options = ["-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(
        [python, "-m", "pip", "install", *options, pack(tmp_path / "wheel")], check=True, env=plain
    )
    checked = subprocess.run(
        [venv / "bin" / "deskhand", "--help"], check=True, env=plain, capture_output=True, text=True
    )
    assert "Your files, models and keys stay here" in checked.stdout


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        OwnWheel(tmp_path / "file").place()
    assert caught.value.code == "wheel_not_made"
