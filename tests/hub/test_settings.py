"""Settings: from the environment, checked, and told in `.env.example`."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings import Settings, default_data_folder, example, load_settings
from shared.errors import BadInput

ROOT = Path(__file__).parents[2]


def test_the_example_file_is_written_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == example()


def test_every_setting_says_what_it_is_for() -> None:
    assert [n for n, field in Settings.model_fields.items() if not field.description] == []


def test_the_environment_is_read_and_a_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "9000")
    monkeypatch.setenv("HUB_NAME", "home")
    settings = load_settings({"port": 9001})
    assert (settings.port, settings.hub_name) == (9001, "home")


@pytest.mark.parametrize(
    ("name", "value"),
    [("HUB_PORT", "abc"), ("HUB_PORT", "70000"), ("HUB_PUBLIC_URL", "hub.example")],
)
def test_a_setting_that_cannot_work_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as caught:
        load_settings()
    assert caught.value.code == "settings_invalid"
    assert name in caught.value.message


def test_addresses_are_told_as_workers_and_this_machine_need_them(tmp_path: Path) -> None:
    everywhere = Settings(host="0.0.0.0", port=80, data=tmp_path)
    assert everywhere.local_url == "http://127.0.0.1:80"
    assert Settings(host="::1", port=80, data=tmp_path).local_url == "http://[::1]:80"
    public = Settings(public_url="https://hub.example/", data=tmp_path)
    assert (public.hub_url, public.hub_name) == ("https://hub.example", "hub.example")


def test_the_data_folder_follows_the_platforms_custom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_data_folder() == Path("/state/deskhand-hub")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/appdata")
    assert default_data_folder() == Path("/appdata/deskhand-hub")
