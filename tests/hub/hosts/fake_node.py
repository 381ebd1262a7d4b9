"""A program in a node's place: says what it was told, and goes when it is asked to."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    if len(sys.argv) > 1:
        names = sorted(k for k in os.environ if k.startswith("DESKHAND_FLEET_"))
        Path(sys.argv[1], f"{os.environ['DESKHAND_FLEET_INSTANCE']}.told").write_text(
            json.dumps({name: os.environ[name] for name in names})
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        signal.pause()
