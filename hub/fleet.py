"""`deskhand-hub fleet`: the broker, what waits and runs, and the nodes; a table, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from hub.frontends.figures import ago, count, duration, plural
from shared.api.client import Client
from shared.api.fleet import FleetNodeShown, FleetShown
from shared.plain_text import plain_line

OFF = """\
This hub has no fleet.
  Set HUB_FLEET_BROKER and HUB_FLEET_KINDS, see .env.example, and start it again.
"""
AWAY = "  Nothing is lost: jobs are handed over once it is back. See that it runs."
NO_NODES = """\
No node is here.
  deskhand-fleet worker --hub URL --key-file FILE --broker URL --kinds {kinds}
"""


def show(client: Client, *, as_json: bool, now: datetime | None = None) -> int:
    """Print how the fleet is; 1 when there is one whose broker is away.

    Args:
        client: of the hub, with the operator's key or one of scope `fleet`.
        as_json: as the API tells it, for programs.
        now: for how long ago something was; the clock's when None.
    """
    fleet = client.get_fleet()
    if as_json:
        sys.stdout.write(fleet.model_dump_json(indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(told(fleet, now or datetime.now(UTC))))
    return 1 if fleet.is_configured and not fleet.is_broker_up else 0


def told(fleet: FleetShown, now: datetime) -> list[str]:
    """Word it, a line each."""
    if not fleet.is_configured:
        return [OFF]
    lines = [f"Broker: {'up' if fleet.is_broker_up else 'away'}"]
    if fleet.broker_error:
        lines += [f"  {plain_line(fleet.broker_error)}", AWAY]
    lines += [f"Kinds: {', '.join(fleet.kinds) or 'none'}", ""]
    busy = [queue for queue in fleet.queues if queue.waiting or queue.running]
    if busy:
        rows = [
            (
                queue.kind,
                str(queue.priority),
                count(queue.waiting),
                count(queue.running),
                duration(queue.oldest_wait_seconds) if queue.waiting else "",
            )
            for queue in busy
        ]
        lines += _table(("KIND", "PRIORITY", "WAITING", "RUNNING", "OLDEST"), rows)
    else:
        lines.append("Nothing waits, nothing runs.")
    lines.append("")
    if not fleet.nodes:
        return [*lines, NO_NODES.format(kinds=",".join(fleet.kinds) or "KINDS")]
    lines += _table(
        ("NODE", "POOL", "SLOTS", "HELD", "", "SEEN"), [_row(node, now) for node in fleet.nodes]
    )
    return [*lines, plural(len(fleet.nodes), "node"), ""]


def _row(node: FleetNodeShown, now: datetime) -> Sequence[str]:
    return (
        plain_line(node.node),
        plain_line(node.pool),
        count(node.slots),
        count(node.held),
        "draining" if node.is_draining else "",
        ago(node.seen_at, now),
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Write columns under each other."""
    widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    ]
