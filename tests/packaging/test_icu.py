"""The thinned data of ICU: found in the very library that Qt brings, and still sound."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIN = "import sys, pathlib, icu; print(icu.thin(pathlib.Path(sys.argv[1])))"
SORT = """
from PySide6.QtCore import QCollator, QLocale, QStringDecoder
collator = QCollator(QLocale("de_DE"))
words = sorted(["Zebra", "Äpfel", "apfel"], key=lambda w: collator.sortKey(w))
print(words, QLocale("tr_TR").toUpper("i"), QStringDecoder("KOI8-R").isValid())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Qt uses the system's")
def test_qt_sorts_and_decodes_with_the_thinned_data_as_with_the_whole(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("PySide6")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "Qt" / "lib"
    original = next(folder.glob("libicudata.so.*"))
    copy = tmp_path / original.name
    shutil.copy(original, copy)
    thinned = subprocess.run(
        [sys.executable, "-c", THIN, str(copy)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "packaging")},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert int(thinned) > 10_000_000
    # What is preloaded is found before what stands beside Qt.
    told = [
        subprocess.run(
            [sys.executable, "-c", SORT], env=os.environ | more, capture_output=True, text=True,
            check=True,
        ).stdout
        for more in ({}, {"LD_PRELOAD": str(copy)})
    ]  # fmt: skip
    assert told[0] == told[1]
    assert "True" in told[1]
