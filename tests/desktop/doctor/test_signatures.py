"""The doctor says whether this machine signs, and what of the hub's log is not its machines'."""

from __future__ import annotations

from pathlib import Path

from desktop.doctor.signatures import examine_signatures
from desktop.store import facts
from desktop.system.device_key import make_key, save_key
from desktop.system.paths import Paths
from shared.pairing import b64
from shared.signatures import signed
from tests.desktop.store.test_peers import EVIL, STARTED, Evil, of_mac


def told(evil: Evil, folder: Path) -> list[tuple[bool, str]]:
    paths = Paths(data=folder, config=folder)
    found = examine_signatures(evil.store, paths)
    return [(finding.is_well, finding.sentence) for finding in found]


def test_a_machine_whose_key_is_gone_is_told_so(tmp_path: Path) -> None:
    key, evil = make_key(), Evil()
    facts.put(evil.store, "signs_as", b64(key.public))
    [(is_well, sentence)] = told(evil, tmp_path)
    assert not is_well
    assert sentence.startswith("The key that signs reports is gone")
    save_key(key, file=Paths(data=tmp_path, config=tmp_path).device_key, allow_safe=False)
    assert told(evil, tmp_path) == [(True, "Reports are signed by this machine's key")]


def test_what_is_not_a_machines_own_is_counted(tmp_path: Path) -> None:
    evil = Evil()
    evil.tell(signed(of_mac(STARTED), EVIL.sign))
    assert (False, "1 events of studio-mac do not carry its signature") in told(evil, tmp_path)
