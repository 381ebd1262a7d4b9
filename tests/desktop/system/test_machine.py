"""Tokens, locks and capabilities on the machine the tests run on."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from desktop.jobs import EXECUTORS
from desktop.system import hardware
from desktop.system.credentials import load_secret, save_secret
from desktop.system.device_key import load_key, make_key, save_key
from desktop.system.paths import find_paths
from desktop.system.single_instance import InstanceLock
from shared.errors import Conflict
from shared.kinds.catalogue import BUILT_IN
from shared.pairing import b64

ROOT = Path(__file__).parents[3]


def test_without_a_safe_the_token_is_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("an older one, readable by all")
    file.chmod(0o644)
    place = save_secret("dh_worker_x_secret", entry="x", file=file, allow_safe=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secret(entry="x", file=file) == "dh_worker_x_secret"
    assert str(file) in place
    assert "secret" not in place.replace("safe for secrets", "")


def test_a_secret_is_not_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("somebody else's")
    for name in ("token", "token.new"):
        (tmp_path / name).symlink_to(elsewhere)
    save_secret("dh_worker_x_secret", entry="x", file=tmp_path / "token", allow_safe=False)
    assert elsewhere.read_text() == "somebody else's"
    assert load_secret(entry="x", file=tmp_path / "token") == "dh_worker_x_secret"


def test_a_key_signs_as_its_public_half_says_and_never_prints_its_other_half(
    tmp_path: Path,
) -> None:
    file = tmp_path / "device.key"
    key = make_key()
    save_key(key, file=file, allow_safe=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = load_key(b64(key.public), file=file)
    assert again is not None
    Ed25519PublicKey.from_public_bytes(key.public).verify(again.sign(b"words"), b"words")
    assert file.read_text() not in f"{key} {key!r} {vars(key)}"
    assert load_key(b64(make_key().public), file=file) is None, "another's key is no key"


def test_no_token_is_none(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    assert load_secret(entry="x", file=tmp_path / "token") is None


def test_a_second_worker_of_a_profile_is_refused_and_the_lock_dies_with_its_process(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "worker.lock"
    code = (
        "import sys, pathlib\nfrom desktop.system.single_instance import InstanceLock\n"
        "held = InstanceLock(pathlib.Path(sys.argv[1]))\nprint('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Conflict) as caught:
            InstanceLock(lock)
        assert caught.value.code == "already_running"
        other.kill()
    InstanceLock(lock).release()


def test_a_kind_without_executor_or_library_is_not_offered() -> None:
    only = hardware.kinds_ready(BUILT_IN, {"ml.train": "nowhere:run"})
    assert "data.describe" not in only, "no executor, no promise"
    code = (
        "from importlib.machinery import PathFinder\n"
        "found = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda n, *p: None if n == 'sklearn' else found(n, *p)\n"
        "from desktop.system import hardware\nfrom desktop.jobs import EXECUTORS\n"
        "from shared.kinds.catalogue import BUILT_IN\n"
        "print(' '.join(sorted(hardware.kinds_ready(BUILT_IN, EXECUTORS))))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "data.describe" in said.split()
    assert "ml.train" not in said.split()


def test_looking_for_libraries_does_not_import_them() -> None:
    code = (
        "import sys\nfrom desktop.system import hardware\nfrom desktop.jobs import EXECUTORS\n"
        "from shared.kinds.catalogue import BUILT_IN\n"
        "print(sorted(hardware.kinds_ready(BUILT_IN, EXECUTORS)))\n"
        "print({'sklearn', 'pandas', 'numpy'} & set(sys.modules))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    kinds, loaded = said.splitlines()
    assert "ml.train" in kinds
    assert loaded == "set()"


def test_a_process_that_refuses_a_library_still_offers_what_its_children_can_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("numpy", "pandas", "sklearn"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "ml.train" in hardware.kinds_ready(BUILT_IN, EXECUTORS)


def test_metrics_are_in_range(tmp_path: Path) -> None:
    metrics = hardware.metrics(tmp_path)
    assert 0 <= metrics.cpu_share <= 1
    assert 0 < metrics.memory_used_bytes < metrics.memory_total_bytes
    assert metrics.disk_free_bytes > 0


def test_a_profile_lies_where_it_was_asked_for(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)
    paths.make()
    assert paths.policy.parent == paths.store.parent == tmp_path.resolve()
    assert stat.S_IMODE(paths.jobs.stat().st_mode) == 0o700


def test_a_machine_whose_kernel_tells_nothing_of_batteries_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container often has no folder of power supplies, and the library then fails."""

    def fails() -> None:
        raise FileNotFoundError("/sys/class/power_supply")

    monkeypatch.setattr(psutil, "sensors_battery", fails, raising=False)
    told = hardware.metrics(tmp_path)
    assert told.battery_share is None
    assert told.memory_total_bytes > 0
