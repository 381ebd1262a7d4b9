"""All figures of the hub, by name: the one place that says what is told, and of what it is made.

Names follow prometheus.io/docs/practices/naming: base units, `_total` behind what only grows. The
table in docs/observability.md is written from here, and a test holds it true.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "deskhand_hub_"


class Sort(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    sort: Sort
    help: str
    labels: tuple[str, ...] = ()
    group: str = ""


FIGURES: dict[str, Figure] = {}
"""In the order of their telling, by name without prefix."""


def _told(group: str, sort: Sort, *figures: tuple[str, str, str]) -> None:
    for name, labels, told in figures:
        FIGURES[name] = Figure(PREFIX + name, sort, told, tuple(labels.split()), group)


_told(
    "Program",
    Sort.GAUGE,
    ("build_info", "version python", "1; its labels say which program runs."),
    ("log_position", "", "The number of the last event in the hub's log."),
)
_told(
    "Program",
    Sort.HISTOGRAM,
    ("event_loop_lag_seconds", "", "How much later than asked the event loop came back."),
)
_told(
    "Queue",
    Sort.GAUGE,
    ("queue_jobs", "priority state", "Jobs that wait, are being offered, or run."),
    (
        "queue_oldest_wait_seconds",
        "priority",
        "How long the oldest waiting job waits; 0 when none does.",
    ),
    ("kind_jobs", "kind state", "The same jobs by kind; what is being offered waits."),
    ("grants_held", "", "Jobs in workers' hands, those that ask included."),
    ("jobs_set_aside", "state", "Jobs that wait for a person's word: asking, or interrupted."),
    ("dead_letters", "", "Jobs that are out of tries and wait to be requeued or purged."),
    ("questions_open", "", "Questions that nobody has answered yet, up to 1000."),
)
_told(
    "Queue",
    Sort.HISTOGRAM,
    ("job_wait_seconds", "", "How long jobs were ready before a worker was given them."),
)
_told(
    "Queue",
    Sort.COUNTER,
    ("jobs_ended_total", "kind end", "Jobs that ended, or were interrupted."),
    (
        "late_results_total",
        "",
        "Results that came after their job had moved on; never applied.",
    ),
)
_told(
    "Workers",
    Sort.GAUGE,
    ("workers_connected", "engine", "Workers that can be reached now, by the way to them."),
    ("workers", "state", "Workers that are here: ready, or taking nothing new."),
    ("worker_slots", "state", "Slots of the workers that are here."),
    ("worker_attempts", "state", "Attempts on them beside the slots: light ones, and such as ask."),
    (
        "worker_lag_positions_max",
        "",
        "How far the worker that lags most is behind the log; up to 1000 is usual.",
    ),
    ("workers_behind", "", "Workers that are more than 1000 positions behind the log."),
)
_told(
    "Workers",
    Sort.COUNTER,
    ("worker_connections_total", "", "Times that a worker came over a socket."),
    ("worker_reconnects_total", "", "Of these, times that it had been here before."),
    ("worker_connections_refused_total", "", "Sockets turned away: no valid key, or no room."),
    ("worker_disconnects_total", "end", "Sockets that ended, and how."),
    ("frames_rejected_total", "code", "Frames that broke the protocol and ended their socket."),
    ("events_refused_total", "code", "Events of workers' logs that were passed over."),
)
_told(
    "Store",
    Sort.HISTOGRAM,
    ("commit_seconds", "", "How long a commit took that wrote something, up to the disk."),
)
_told(
    "Store",
    Sort.COUNTER,
    ("transactions_total", "", "Transactions that were committed; several may share a commit."),
    ("events_total", "type", "Events that were written to the log."),
)
_told(
    "Store",
    Sort.GAUGE,
    ("store_trouble", "code", "1 while that is the matter with the store."),
    ("store_bytes", "", "The store's files, write-ahead log included."),
    ("disk_free_bytes", "", "Free room on the data folder's disk."),
    ("backups", "", "Backups in the data folder."),
    ("backups_wanted", "", "How many daily backups are to be kept; 0: none are made."),
    ("backup_newest_timestamp_seconds", "", "When the newest backup was made; 0 without any."),
    ("backup_newest_bytes", "", "How large it is."),
    ("census_age_seconds", "", "How old what is counted in the store is."),
)
_told(
    "Chats",
    Sort.GAUGE,
    ("frontend_state", "frontend state", "1 for the state that a frontend is in."),
    ("deliveries_waiting", "frontend", "Messages that wait to be shown."),
    (
        "deliveries_oldest_wait_seconds",
        "frontend",
        "How long the one waits that was due first; 0 while none is due.",
    ),
    ("outbox_unworded_events", "", "Events that were not yet looked at for messages."),
)
_told(
    "Fleet",
    Sort.GAUGE,
    ("fleet_configured", "", "1 when a broker is set."),
    ("fleet_broker_up", "", "1 while the broker can be reached; 0 also without one."),
    ("fleet_jobs", "kind priority state", "Jobs of the fleet's kinds that wait, or run on nodes."),
    (
        "fleet_oldest_wait_seconds",
        "kind priority",
        "How long the oldest of them waits; 0 when none does.",
    ),
    ("fleet_nodes", "pool state", "Nodes that say they are here."),
    ("fleet_slots", "pool state", "Slots of the nodes that are here."),
)
_told(
    "Program",
    Sort.GAUGE,
    ("metrics_seconds", "", "How long the last scrape before this one took to put together."),
)
