"""What every test starts from: one thread for numeric libraries, and this checkout for children."""

from __future__ import annotations

import os
from pathlib import Path

# A package called "tests" may lie in site-packages, and a child does not start in this folder.
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)

# Read once, when the first test imports scikit-learn: spinning threads make small fits ten times
# slower on a busy machine.
os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", OPENBLAS_NUM_THREADS="1")
