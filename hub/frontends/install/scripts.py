"""The two scripts, with this hub's address, files and sums written into them.

The templates stand beside this module as `worker.sh` and `worker.ps1`. What is written in has
passed strict patterns, so it cannot end the quotes it stands in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hub.frontends.install.address import Told
from hub.frontends.install.downloads import Download, Frozen

FOLDER = Path(__file__).parent
_PLACE = re.compile(r"@([A-Z_]+)@")
_UNQUOTABLE = re.compile(r"['\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What there is to install."""

    frozen: tuple[Frozen, ...]
    wheel: Download
    lock_slim: Download
    lock_ml: Download


def worker_sh(told: Told, offer: Offer | None) -> str:
    """For sh; without an offer (there is trouble) it only says so."""
    return _filled("worker.sh", told, offer, ("linux", "macos"))


def worker_ps1(told: Told, offer: Offer | None) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7."""
    return _filled("worker.ps1", told, offer, ("windows",))


def _filled(name: str, told: Told, offer: Offer | None, systems: tuple[str, ...]) -> str:
    values = {
        "HUB": told.url,
        "TROUBLE": _UNQUOTABLE.sub(" ", told.trouble),
        "MENDING": _UNQUOTABLE.sub(" ", told.mending),
        "FROZEN": "",
        "WHEEL": "",
        "LOCK_SLIM": "",
        "LOCK_ML": "",
    }
    if offer is not None:
        fitting = [frozen for frozen in offer.frozen if frozen.system in systems]
        values |= {
            "FROZEN": "\n".join(_frozen_line(frozen) for frozen in fitting),
            "WHEEL": _named(offer.wheel),
            "LOCK_SLIM": _named(offer.lock_slim),
            "LOCK_ML": _named(offer.lock_ml),
        }
    template = (FOLDER / name).read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: values[place[1]], template)


def _frozen_line(frozen: Frozen) -> str:
    file = frozen.file
    system = f"{frozen.system}-{frozen.arch}"
    return f"{system} {frozen.version} {file.name} {file.sha256} {file.size_bytes}"


def _named(file: Download) -> str:
    return f"{file.name} {file.sha256}"
