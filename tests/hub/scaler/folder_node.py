"""A node whose broker and hub are a folder: takes jobs by renaming them, and beats by a file.

    waiting/J ── rename ──▶ held/NODE.J ── works ──▶ done/J

Killed in the middle it leaves its job in `held`: lost, as it would be with a real one.
"""

import os
import signal
import sys
import time

BEAT_SECONDS = 0.02
WORK_SECONDS = 0.05


def main(folder: str) -> None:
    node = os.environ["DESKHAND_FLEET_NODE"]
    drains = []
    signal.signal(signal.SIGTERM, lambda *_: drains.append("told"))
    beat = 0
    while True:
        beat += 1
        is_draining = bool(drains) or os.path.exists(f"{folder}/drain/{node}")
        job = "" if is_draining else take(folder, node)
        tell(folder, node, beat, len(job) > 0, is_draining)
        if job:
            time.sleep(WORK_SECONDS)
            os.rename(f"{folder}/held/{node}.{job}", f"{folder}/done/{job}")
            tell(folder, node, beat, False, is_draining)
        elif is_draining and drains:
            os.unlink(f"{folder}/beats/{node}")
            return
        else:
            time.sleep(BEAT_SECONDS)


def take(folder: str, node: str) -> str:
    for job in sorted(os.listdir(f"{folder}/waiting")):
        try:
            os.rename(f"{folder}/waiting/{job}", f"{folder}/held/{node}.{job}")
        except FileNotFoundError:
            continue
        return job
    return ""


def tell(folder: str, node: str, beat: int, is_held: bool, is_draining: bool) -> None:
    draft = f"{folder}/{node}.draft"
    with open(draft, "w") as file:
        file.write(f"{beat} {int(is_held)} {int(is_draining)}")
    os.rename(draft, f"{folder}/beats/{node}")


if __name__ == "__main__":
    main(sys.argv[1])
