"""What every page of the dashboard carries: rules for browsers, and files that are kept."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from hub.frontends.web import tokens
from hub.frontends.web.static_files import FOLDER
from tests.hub.frontends.web.reader import Reader

FIRST_PAINT_BYTES_MAX = 60_000
"""Of script and style, as they travel."""


async def test_a_page_lets_nothing_in_but_its_own(reader: Reader) -> None:
    page = await reader.get("/")
    rules = page.response.headers["content-security-policy"]
    assert rules.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in rules
    assert not re.search(
        r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|hx-on|javascript:", page.html
    )


async def test_files_are_asked_for_by_hash_and_kept(reader: Reader) -> None:
    page = await reader.get("/")
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.html))
    assert addresses
    for address in addresses:
        assert "?v=" in address
        kept = await reader.get(address)
        assert kept.status == 200
        assert "immutable" in kept.response.headers["cache-control"]
    plain = await reader.get("/static/app.css")
    assert plain.response.headers["cache-control"] == "no-cache"


async def test_files_travel_compressed_and_pages_with_secrets_do_not(reader: Reader) -> None:
    assert (await reader.get("/static/app.css")).response.headers["content-encoding"] == "gzip"
    # A page holds the word of its forms beside what somebody searched for (BREACH).
    assert "content-encoding" not in (await reader.get("/?q=x")).response.headers


def test_script_and_style_are_small() -> None:
    files = [p for p in FOLDER.rglob("*") if p.suffix in (".js", ".css")]
    total = sum(len(gzip.compress(p.read_bytes(), mtime=0)) for p in files)
    assert total < FIRST_PAINT_BYTES_MAX


def test_colours_are_those_of_the_windows() -> None:
    assert tokens.FILE.read_text() == tokens.css()


def test_what_others_made_is_what_the_lock_says_and_nothing_else() -> None:
    vendor = FOLDER / "vendor"
    lock = json.loads((vendor / "lock.json").read_text())
    expected = {"lock.json", *lock, *(told["licence_file"] for told in lock.values())}
    assert {path.name for path in vendor.iterdir()} == expected
    for name, told in lock.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == told["sha256"], name
        assert told["version"] in (vendor / name).read_text()


@pytest.mark.outside
@pytest.mark.skipif("DESKHAND_NPM" not in os.environ, reason="asks npm: set DESKHAND_NPM")
def test_what_others_made_is_what_they_published(tmp_path: Path) -> None:
    lock = json.loads((FOLDER / "vendor" / "lock.json").read_text())
    for told in lock.values():
        *command, package = told["tarball"].split()
        packed = subprocess.run(
            [*command, "--silent", package],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        tarball = tmp_path / packed.stdout.split()[-1]
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        assert f"sha512-{digest}" == told["tarball_integrity"]
        with tarfile.open(tarball) as files:
            found = files.extractfile(told["path_in_tarball"])
            assert found is not None
            assert hashlib.sha256(found.read()).hexdigest() == told["sha256"]
