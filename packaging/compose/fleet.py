"""A node's container: waits for its key, then runs `deskhand-fleet worker` until it is stopped.

A node keeps nothing, so there are no seats as workers have them: each container is a node of its
own, and one that is scaled away takes nothing new, ends what it has in hand, and is forgotten.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from supervise import run, say

KEY_FILE = Path(os.environ.get("DESKHAND_FLEET_KEY_FILE", "/fleet/key"))
HUB = os.environ.get("DESKHAND_FLEET_HUB", "http://hub:8765")
BROKER = os.environ.get("DESKHAND_FLEET_BROKER", "redis://broker:6379/0")
WAIT_SECONDS = 180.0
LOOK_SECONDS = 0.5
CHECK_SECONDS = 5.0
PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


def main() -> int:
    """Run a node until the container is stopped."""
    if sys.argv[1:] == ["check"]:
        return check()
    # Whoever is given the key itself (by a cluster's secret, or a scaler) needs no file of it.
    if not os.environ.get("DESKHAND_FLEET_KEY"):
        if not wait_for_key():
            say(f"the hub has left no key in {KEY_FILE}; is HUB_FLEET_BROKER set there?")
            return 1
        os.environ["DESKHAND_FLEET_KEY_FILE"] = str(KEY_FILE)
    # Its name is the container's: what people see in lists is what `docker compose ps` says.
    os.environ.setdefault("DESKHAND_FLEET_INSTANCE", socket.gethostname())
    os.environ["DESKHAND_FLEET_HUB"] = HUB
    os.environ["DESKHAND_FLEET_BROKER"] = BROKER
    return run(["deskhand-fleet", "worker", "--json-logs"])


def wait_for_key() -> bool:
    """Wait until the hub has left the key; False when it does not."""
    until = time.monotonic() + WAIT_SECONDS
    while not KEY_FILE.exists():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def check() -> int:
    """Say whether hub and broker can be reached: the container's health.

    That the node itself runs needs no asking: the container ends with it.
    """
    broker = urlsplit(BROKER)
    place = (broker.hostname or "broker", broker.port or PORTS.get(broker.scheme, 6379))
    try:
        with urllib.request.urlopen(f"{HUB}/api/v1/health", timeout=CHECK_SECONDS):  # noqa: S310
            pass
        with socket.create_connection(place, CHECK_SECONDS):
            pass
    except OSError as error:
        print(f"The node does not reach its hub or its broker: {error}.")
        return 1
    print("The node runs, and reaches its hub and its broker.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
