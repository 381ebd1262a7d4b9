"""machine.autostart as an executor: on, on again, how it stands, off."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import pytest

from desktop.jobs.autostart import run
from shared.errors import Unavailable
from shared.kinds.machine import AutostartInputs, AutostartOutput
from tests.desktop.jobs.fake_context import FakeContext, context_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the desktop entry is Linux's")


def on_a_desktop(tmp_path: Path, **more: str) -> FakeContext:
    """A job on a machine with a desktop, and without the tools of systemd."""
    context = context_of(tmp_path)
    context.profile = tmp_path / "profile"
    context.session = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": str(tmp_path), **more}
    return context


def switched(context: FakeContext, switch: Literal["on", "off", "status"]) -> AutostartOutput:
    return run(context, AutostartInputs(switch=switch))


def test_a_chat_switches_it_on_and_off_and_is_told_the_file(tmp_path: Path) -> None:
    context = on_a_desktop(tmp_path, DISPLAY=":0")
    assert not switched(context, "status").is_on
    told = switched(context, "on")
    assert told == switched(context, "on")
    assert told.headline == "The worker starts at login."
    (place,) = told.notes
    entry = Path(place.removeprefix("This does it: "))
    assert f'"--home" "{tmp_path / "profile"}" "--headless"' in entry.read_text()
    assert switched(context, "status").is_on
    for _ in range(2):
        assert not switched(context, "off").is_on
    assert not entry.exists()


def test_a_machine_that_cannot_says_what_else(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        switched(
            on_a_desktop(tmp_path, DISPLAY="", WAYLAND_DISPLAY="", XDG_CURRENT_DESKTOP=""), "on"
        )
    assert refused.value.code == "autostart_impossible"
