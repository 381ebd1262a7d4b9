"""What a job is told of the desktop session that its worker runs in."""

from __future__ import annotations

from desktop.runner.workshop import session_of

VARIABLES = {"DISPLAY": ":0", "XDG_CONFIG_HOME": "/c", "SECRET_TOKEN": "x", "PATH": "/bin"}


def test_kinds_of_the_machine_learn_where_its_desktop_is() -> None:
    told = session_of("machine.autostart", VARIABLES)
    assert told == {"DISPLAY": ":0", "XDG_CONFIG_HOME": "/c"}


def test_other_kinds_learn_nothing() -> None:
    for kind in ("ml.train", "machines.x", "data.machine.describe", ""):
        assert session_of(kind, VARIABLES) == {}
