"""What systems read to hand links to this program: the very text."""

from __future__ import annotations

import pytest

from desktop.core.link_scheme import desktop_entry, registry_values
from shared.errors import BadInput


def test_an_entry_names_the_scheme_and_puts_the_link_behind_the_command() -> None:
    assert desktop_entry(("/opt/desk hand/deskhand",), "/home/anna/icon.png") == (
        "[Desktop Entry]\n"
        "Type=Application\n"
        "Name=Deskhand\n"
        "Comment=Text your computer; it does the work and asks when unsure\n"
        'Exec="/opt/desk hand/deskhand" %u\n'
        "Icon=/home/anna/icon.png\n"
        "Terminal=false\n"
        "Categories=Utility;\n"
        "MimeType=x-scheme-handler/deskhand;\n"
        "StartupNotify=true\n"
        "StartupWMClass=deskhand\n"
    )


def test_windows_is_told_the_class_and_its_command() -> None:
    assert registry_values((r"C:\Program Files\Deskhand\deskhand.exe",)) == (
        (r"Software\Classes\deskhand", "", "URL:Deskhand"),
        (r"Software\Classes\deskhand", "URL Protocol", ""),
        (
            r"Software\Classes\deskhand\shell\open\command",
            "",
            r'"C:\Program Files\Deskhand\deskhand.exe" "%1"',
        ),
    )


def test_a_path_with_a_line_end_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot start"):
        desktop_entry(("/opt/desk\nhand",), "deskhand")
