"""What every test starts from: children of tests import the tests of this checkout."""

from __future__ import annotations

import os
from pathlib import Path

# A package called "tests" may lie in site-packages, and a child does not start in this folder.
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
