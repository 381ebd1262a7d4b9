"""All scenes of all windows: `make screenshots` draws them, `test_every_window` checks them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QWidget

import tests.desktop.gui as here
from desktop.gui.bridge import Bridge
from desktop.gui.style import Style
from tests.desktop.gui.world import PaperDesk

Scene = Callable[[PaperDesk, Bridge, Style], Awaitable[QWidget]]


def all_scenes() -> dict[str, Scene]:
    """Find the scenes of every module `scenes_<window>` beside this one: "jobs.empty", …."""
    found: dict[str, Scene] = {}
    for module in pkgutil.iter_modules(here.__path__):
        if module.name.startswith("scenes_"):
            scenes = importlib.import_module(f"{here.__name__}.{module.name}").SCENES
            window = module.name.removeprefix("scenes_")
            found |= {f"{window}.{name}": scene for name, scene in scenes.items()}
    return found
