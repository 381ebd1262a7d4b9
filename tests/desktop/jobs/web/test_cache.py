"""Pages that a task has read are kept for it, for a while, and never believed blindly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from desktop.jobs.web.cache import FOLDER, KEEP, PAGES_MAX, PageCache
from desktop.jobs.web.page import Page

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://example.org/a"


def page(at: datetime = NOW) -> Page:
    return Page(url=URL, title="A", text="Words", at=at)


def test_a_page_is_found_again_at_any_of_its_addresses_for_a_while(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    cache.put(URL, "auto", page())
    assert cache.get(URL, "auto", NOW + KEEP) == page()
    assert cache.get("http://www.example.org/a/?utm_source=x", "auto", NOW) == page()
    assert cache.get(URL, "always", NOW) is None, "in the browser it may be another"
    assert cache.get(URL, "auto", NOW + KEEP + timedelta(seconds=1)) is None
    assert cache.get(URL, "auto", NOW - timedelta(days=1)) is None, "from the future"


def test_a_file_that_is_odd_counts_as_none(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    cache.put(URL, "auto", page())
    [file] = (tmp_path / FOLDER).iterdir()
    for odd in (b"", b"{", b'{"url": "x"}', b"\xff", b'{"url":"u","at":"no","text":"t"}'):
        file.write_bytes(odd)
        assert cache.get(URL, "auto", NOW) is None


def test_it_does_not_grow_without_end_and_a_folder_that_has_gone_harms_nobody(
    tmp_path: Path,
) -> None:
    cache = PageCache(tmp_path)
    for n in range(PAGES_MAX + 5):
        cache.put(f"{URL}/{n}", "auto", page())
    assert len(list((tmp_path / FOLDER).iterdir())) == PAGES_MAX
    gone = PageCache(tmp_path / "gone")
    gone.put(URL, "auto", page())
    assert gone.get(URL, "auto", NOW) is None
