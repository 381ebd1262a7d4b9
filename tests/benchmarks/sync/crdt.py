"""The same log as a document of pycrdt's, in an environment that has nothing of Deskhand.

    python crdt.py LINES

LINES holds an event a line. One document writes them, each in a transaction of its own; another
takes the updates in one by one, a third the whole state at once. Answers with a line of JSON.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pycrdt import Array, Doc


def timed(work: Callable[[], None]) -> dict[str, float]:
    begun, cpu = time.monotonic(), time.process_time()
    work()
    return {"seconds": time.monotonic() - begun, "cpu_seconds": time.process_time() - cpu}


def main() -> None:
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    writer = Doc({"log": Array()})
    updates = []
    kept = writer.observe(lambda told: updates.append(told.update))
    log = writer["log"]
    for line in lines:
        log.append(line)
    del kept
    state = writer.get_update()

    reader = Doc({"log": Array()})

    def one_by_one() -> None:
        for update in updates:
            reader.apply_update(update)

    at_once = Doc({"log": Array()})

    def whole() -> None:
        at_once.apply_update(state)
        with tempfile.NamedTemporaryFile(dir=Path(sys.argv[1]).parent) as file:
            file.write(at_once.get_update())
            file.flush()
            os.fsync(file.fileno())

    told = {
        "line": {**timed(one_by_one), "bytes": sum(map(len, updates))},
        "state": {**timed(whole), "bytes": len(state)},
    }
    assert len(reader["log"]) == len(at_once["log"]) == len(lines)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
