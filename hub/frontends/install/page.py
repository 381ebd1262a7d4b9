"""The page `/download`: what a worker is, the steps for each system, and the files with sums.

It reads well without its script, which only writes the code from the address into the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from hub.core.view import size
from hub.frontends.entrance import pair_link, powershell_line, shell_line
from hub.frontends.install.address import Told
from hub.frontends.install.downloads import Build, Download, Form, builds
from hub.frontends.install.scripts import FOLDER, Offer

SYSTEMS = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
PHONE = "phone"
FORMS = {
    Form.INSTALLER: "installer, needs no administrator",
    Form.IMAGE: "disk image",
    Form.PACKAGE: "package for Debian and Ubuntu",
    Form.PORTABLE: "one file that runs as it is, for other distributions",
}
ARCHES = {"x86_64": "Intel and AMD, 64 bit", "aarch64": "ARM, 64 bit"}
CODE = "CODE"
"""Stands where the code belongs until the script, or a person, puts it there."""
_PLACE = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    hub_name: str
    told: Told
    offer: Offer
    files: Sequence[Download]


def system_of(agent: str) -> str:
    """Guess the system from a browser's own words; "" when they tell nothing."""
    for word, system in (
        ("Android", PHONE),
        ("iPhone", PHONE),
        ("iPad", PHONE),
        ("Windows", "windows"),
        ("Macintosh", "macos"),
        ("Linux", "linux"),
        ("X11", "linux"),
    ):
        if word in agent:
            return system
    return ""


def written(shown: Shown, system: str) -> str:
    """Write the page; `system` comes first on it, all others follow."""
    values = {
        "HUB_NAME": escape(shown.hub_name),
        "STEPS": "".join(_trouble(shown.told) if shown.told.trouble else _steps(shown, system)),
        "FILES": "".join(_file_row(file) for file in _listed(shown)),
    }
    template = (FOLDER / "page.html").read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: values[place[1]], template)


def _trouble(told: Told) -> Iterator[str]:
    yield f'<section class="trouble"><h2>⚠ {escape(told.trouble)}</h2>'
    yield f"<p>{escape(told.mending)}</p></section>"


def _steps(shown: Shown, system: str) -> Iterator[str]:
    url = shown.told.url
    if system == PHONE:
        yield "<section><h2>On the computer that shall do the work</h2>"
        yield "<p>Open this page there:</p>"
        yield f"{_line(f'{url}/download', 'address')}</section>"
    for name in sorted(SYSTEMS, key=lambda name: name != system):
        yield from _system(shown, name, is_guess=name == system)
    if system != PHONE:
        # Without a code it would pair nothing, and only the script knows the code.
        link = escape(pair_link(url, CODE))
        yield '<section class="link" hidden><h2>Deskhand is on this computer already</h2>'
        yield f'<p><a class="button" href="{link}">Pair with this hub</a></p></section>'


def _system(shown: Shown, name: str, *, is_guess: bool) -> Iterator[str]:
    url = shown.told.url
    hint = ' <span class="hint">this computer, it seems</span>' if is_guess else ""
    yield f'<section id="{name}"><h2>{SYSTEMS[name]}{hint}</h2>'
    apps = [build for build in builds(shown.files) if build.system == name]
    if apps:
        yield "<p>With windows and a tray icon:</p>"
        yield from _apps(apps, is_guess=is_guess)
        yield "<p>Or without windows, as for a server.</p>"
    if name == "windows":
        yield "<p>In PowerShell:</p>"
        yield _line(powershell_line(url, CODE), "PowerShell")
    else:
        yield "<p>In a terminal:</p>"
        yield _line(shell_line(url, CODE), SYSTEMS[name])
    yield f"<p>{_needs(shown.offer, name)}</p></section>"


def _apps(apps: Sequence[Build], *, is_guess: bool) -> Iterator[str]:
    """The first is what fits most; on the system the page was opened with it is the big button."""
    first, *others = apps
    kind = ' class="button"' if is_guess else ""
    name = escape(first.file.name)
    yield f'<p><a{kind} href="/download/{name}">Get Deskhand {escape(first.version)}</a> '
    yield f'<span class="muted">{_told(first)}</span></p>'
    if others:
        yield '<ul class="others">'
        for build in others:
            name = escape(build.file.name)
            yield f'<li><a href="/download/{name}">{name}</a> <span class="muted">'
            yield f"{_told(build)}</span></li>"
        yield "</ul>"


def _told(build: Build) -> str:
    ml = ", with machine learning" if build.with_ml else ""
    return f"{FORMS[build.form]}{ml}; {ARCHES[build.arch]}; {size(build.file.size_bytes)}"


def _needs(offer: Offer, system: str) -> str:
    ready = [frozen for frozen in offer.frozen if frozen.system == system]
    if not ready:
        return "Needs Python 3.11 or newer; everything goes into a folder of its own."
    kinds = " and ".join(
        f"{escape(frozen.arch)} ({size(frozen.file.size_bytes)})" for frozen in ready
    )
    return f"Brings all it needs, for {kinds}; other machines need Python 3.11 or newer."


def _line(text: str, label: str) -> str:
    marked = f'<span class="code">{CODE}</span>'
    told = escape(text).replace(f"-- {CODE}", f'<span class="keep">-- {marked}</span>')
    if marked not in told:
        told = told.replace(CODE, marked)
    return f'<pre tabindex="0" aria-label="{escape(label)}"><code>{told}</code></pre>'


def _listed(shown: Shown) -> list[Download]:
    offer = shown.offer
    own = [offer.wheel, offer.lock_slim, offer.lock_ml]
    names = {file.name for file in own}
    return [*(file for file in shown.files if file.name not in names), *own]


def _file_row(file: Download) -> str:
    name = escape(file.name)
    return (
        f'<tr><th scope="row"><a href="/download/{name}">{name}</a></th>'
        f"<td>{size(file.size_bytes)}</td><td><code>{file.sha256}</code></td></tr>"
    )
