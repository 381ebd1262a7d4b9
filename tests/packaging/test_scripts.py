"""Scripts and workflows for systems that are not at hand: at least they can be read."""

from __future__ import annotations

import json
import plistlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
SHELL = [*sorted(PACKAGING.rglob("*.sh")), PACKAGING / "appimage" / "AppRun"]
WORKFLOWS = sorted((PACKAGING / "ci").glob("*.yml"))
UNTRIED = [
    *WORKFLOWS,
    PACKAGING / "macos" / "make_dmg.sh",
    PACKAGING / "appimage" / "make_appimage.sh",
    PACKAGING / "windows" / "sign.ps1",
]


@pytest.mark.parametrize("script", SHELL, ids=lambda file: file.name)
def test_a_shell_script_is_sound(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    told = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("file", UNTRIED, ids=lambda file: file.name)
def test_what_was_never_run_says_so_at_its_top(file: Path) -> None:
    assert "not run here" in "\n".join(file.read_text().splitlines()[:2])


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_is_yaml_and_calls_what_is_in_this_tree(file: Path) -> None:
    told = read_yaml(file)
    assert told["permissions"] == {"contents": "read"}
    (job,) = told["jobs"].values()
    assert job["timeout-minutes"] <= 60
    words = " ".join(step.get("run", "") for step in job["steps"]).replace("\\", "/").split()
    called = {word.strip("\"'") for word in words if word.startswith("packaging/")}
    made_by_the_build = {"packaging/icons", "packaging/icons/deskhand.ico"}
    assert [
        name for name in called - made_by_the_build if not (PACKAGING.parent / name).exists()
    ] == []


def read_yaml(file: Path) -> dict[str, Any]:
    """Read YAML with whatever can: Deskhand itself has no use for it."""
    for python in (sys.executable, "/usr/bin/python3"):
        code = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
        told = subprocess.run(
            [python, "-c", code, str(file)], capture_output=True, text=True, check=False
        )
        if "No module named" not in told.stderr:
            assert told.returncode == 0, told.stderr
            return dict(json.loads(told.stdout))
    pytest.skip("no Python here reads YAML")


def test_a_property_list_can_be_read() -> None:
    rights = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert all(key.startswith("com.apple.security.cs.") for key in rights)


@pytest.mark.skipif(find_spec("PySide6") is None, reason="the windows are not installed")
def test_icons_come_in_the_formats_of_all_systems(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(PACKAGING / "icons.py"), str(tmp_path)],
        env={
            "PYTHONPATH": str(PACKAGING.parent),
            "QT_QPA_PLATFORM": "offscreen",
            "PATH": "/usr/bin",
        },
        check=True,
    )
    ico, icns = ((tmp_path / f"deskhand.{kind}").read_bytes() for kind in ("ico", "icns"))
    assert ico[:6] == b"\0\0\1\0\6\0", "an icon with six pictures"
    assert icns[:4] == b"icns"
    assert int.from_bytes(icns[4:8]) == len(icns)
    assert (tmp_path / "deskhand-512.png").read_bytes().startswith(b"\x89PNG")
    assert "currentColor" not in (tmp_path / "deskhand.svg").read_text()
