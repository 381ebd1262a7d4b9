"""What making a hub's store costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from hub.store.database import open_store
open_store(Path(sys.argv[1])).close()
assert "sqlite_utils" in sys.modules
assert not {"pandas", "numpy", "pyarrow"} & sys.modules.keys()
import pandas
"""


def test_a_new_store_draws_in_no_pandas_and_leaves_it_to_who_wants_it(tmp_path: Path) -> None:
    program = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    subprocess.run(program, check=True, timeout=60)
