"""`deskhand-hub fleet`: the broker, what waits and runs, and the nodes that are here."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from hub.frontends.figures import moment, plural
from shared.api.client import Client
from shared.api.fleet import FleetNodeShown, FleetShown
from shared.plain_text import plain_line


def show(client: Client, *, as_json: bool) -> int:
    """Print how the fleet is; 1 when there is one whose broker is away."""
    fleet = client.get_fleet()
    if as_json:
        sys.stdout.write(fleet.model_dump_json() + "\n")
    else:
        lines = told(fleet, datetime.now(UTC))
        sys.stdout.writelines(plain_line(line) + "\n" for line in lines)
    return 1 if fleet.is_configured and not fleet.is_broker_up else 0


def told(fleet: FleetShown, now: datetime) -> list[str]:
    """Say how a fleet is, line by line."""
    if not fleet.is_configured:
        return ["This hub has no fleet: HUB_FLEET_BROKER is empty. docs/fleet.md says what it is."]
    broker = "answers" if fleet.is_broker_up else f"is away: {fleet.broker_error}"
    lines = [f"The broker {broker}", f"Kinds: {', '.join(fleet.kinds) or 'none'}"]
    for queue in fleet.queues:
        if queue.waiting or queue.running:
            wait = f", the oldest for {queue.oldest_wait_seconds:.0f} s" if queue.waiting else ""
            lines.append(
                f"{queue.kind} {queue.priority}: {queue.waiting} waiting{wait}; "
                f"{queue.running} running"
            )
    lines.append(f"{plural(len(fleet.nodes), 'node')} here")
    return [*lines, *(_node(node, now) for node in fleet.nodes)]


def _node(node: FleetNodeShown, now: datetime) -> str:
    pool = f" of {node.pool}" if node.pool else ""
    drains = ", draining" if node.is_draining else ""
    return (
        f"  {node.node}{pool}: {node.held} of {node.slots} slots{drains}, "
        f"since {moment(node.since, now)}"
    )
