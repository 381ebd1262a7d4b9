"""The time zone of the hub's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.zone import zone_name


def test_it_is_where_the_link_of_the_system_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    local = tmp_path / "localtime"
    assert zone_name(local) == "UTC"
    local.symlink_to("/usr/share/zoneinfo/Europe/Vienna")
    assert zone_name(local) == "Europe/Vienna"
    local.unlink()
    local.symlink_to("../somewhere/else")
    assert zone_name(local) == "UTC"
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert zone_name(local) == "Asia/Tokyo"
