"""Draws Grafana's dashboards: `python packaging/observability/draw.py` writes grafana/dashboards.

A dashboard is rows of panels; where they stand, their ids and their colours follow from that. What
they ask is held true by tests/packaging/observability against a real Prometheus and a real hub.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "grafana" / "dashboards"
COLUMNS = 24
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
LOKI = {"type": "loki", "uid": "loki"}
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"
Json = dict[str, object]
RATE = "$__rate_interval"


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: str
    queries: Sequence[tuple[str, str]]
    """Expression and legend of each."""
    about: str = ""
    unit: str = "short"
    width: int = 8
    height: int = 8
    sort: str = "timeseries"
    stacked: bool = False
    limits: Sequence[tuple[float, str]] = ()
    """From this value on, this colour; below the first it is green."""
    names: dict[str, str] = field(default_factory=dict)
    """What a value is shown as."""


def stat(
    title: str,
    query: str,
    *,
    about: str = "",
    unit: str = "short",
    limits: Sequence[tuple[float, str]] = (),
    names: dict[str, str] | None = None,
) -> Panel:
    return Panel(title=title, queries=[(query, "")], about=about, unit=unit, width=4, height=4,
                 sort="stat", limits=limits, names=names or {})  # fmt: skip


def drawn(panel: Panel, number: int, x: int, y: int) -> Json:
    is_log = panel.sort == "logs"
    source = LOKI if is_log else PROMETHEUS
    steps: list[Json] = [{"color": GREEN if panel.limits else BLUE, "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in panel.limits]
    told: Json = {
        "id": number,
        "type": panel.sort,
        "title": panel.title,
        "description": panel.about,
        "datasource": source,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": source,
                "expr": expr,
                "legendFormat": legend or "__auto",
                **(
                    {}
                    if is_log
                    else {"instant": panel.sort == "stat", "range": panel.sort != "stat"}
                ),
            }
            for place, (expr, legend) in enumerate(panel.queries)
        ],
    }
    if is_log:
        told["options"] = {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending",
                           "enableLogDetails": True, "dedupStrategy": "none"}  # fmt: skip
        return told
    defaults: Json = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [
            {"type": "value", "options": {
                value: {"text": text, "index": place}
                for place, (value, text) in enumerate(panel.names.items())
            }}
        ] if panel.names else [],
    }  # fmt: skip
    if panel.sort == "stat":
        defaults["color"] = {"mode": "thresholds"}
        told["options"] = {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background" if panel.limits else "value",
            "graphMode": "none", "textMode": "auto", "justifyMode": "auto",
        }  # fmt: skip
    else:
        defaults["color"] = {"mode": "palette-classic"}
        defaults["custom"] = {
            "lineWidth": 1, "fillOpacity": 25 if panel.stacked else 8, "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
        }  # fmt: skip
        told["options"] = {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"],
                       "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }  # fmt: skip
    told["fieldConfig"] = {"defaults": defaults, "overrides": []}
    return told


def variable(name: str, label: str, query: str) -> Json:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": PROMETHEUS,
        "query": {"query": query, "refId": f"{name}-values"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def dashboard(uid: str, title: str, about: str, variables: Sequence[Json],
              rows: Sequence[tuple[str, Sequence[Panel]]]) -> Json:  # fmt: skip
    panels: list[Json] = []
    y = 0
    for name, those in rows:
        number = len(panels) + 1
        panels.append({"id": number, "type": "row", "title": name, "collapsed": False,
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}, "panels": []})  # fmt: skip
        y, x, tallest = y + 1, 0, 0
        for panel in those:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            panels.append(drawn(panel, len(panels) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["deskhand"],
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(variables)},
        "annotations": {"list": [{
            "name": "Alerts", "enable": True, "iconColor": RED, "datasource": PROMETHEUS,
            "expr": 'ALERTS{alertstate="firing"}', "titleFormat": "{{alertname}}",
            "textFormat": "{{severity}}", "step": "60s",
        }]},
        "links": [{"type": "dashboards", "title": "Deskhand", "tags": ["deskhand"],
                   "asDropdown": True, "includeVars": False, "keepTime": True}],
        "panels": panels,
    }  # fmt: skip


HUB = 'instance=~"$instance"'
KIND = f'{HUB}, kind=~"$kind"'
POOL = f'{HUB}, pool=~"$pool"'
PRIORITY = "{{priority}}"


def quantile(share: float, name: str, of: str = HUB) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({name}_bucket{{{of}}}[{RATE}])))"


def hub() -> Json:
    h = "deskhand_hub_"
    return dashboard("deskhand-hub", "Deskhand: hub", "Is everything all right, and if not, where?", [
        variable("instance", "Hub", f"label_values({h}build_info, instance)"),
        variable("kind", "Kind", f"label_values({h}kind_jobs, kind)"),
    ], [
        ("Now", [
            stat("Hubs that answer", f'sum(up{{job="deskhand-hub", {HUB}}})',
                 limits=[(0, RED), (1, GREEN)], about="Of those in targets/hub.yml."),
            stat("Jobs waiting", f'sum({h}queue_jobs{{{HUB}, state="waiting"}})',
                 about="Nobody works on them yet."),
            stat("Oldest wait", f"max({h}queue_oldest_wait_seconds{{{HUB}}})", unit="s",
                 limits=[(300, YELLOW), (1800, RED)]),
            stat("Computers here", f"sum({h}workers{{{HUB}}})", limits=[(0, YELLOW), (1, GREEN)]),
            stat("Dead letters", f"sum({h}dead_letters{{{HUB}}})", limits=[(1, YELLOW), (20, RED)],
                 about="Out of tries; `deskhand-hub dead` lists them."),
            stat("Questions open", f"sum({h}questions_open{{{HUB}}})",
                 about="Jobs wait for people's answers."),
        ]),
        ("Queue", [
            Panel(title="Jobs that wait, by priority", stacked=True, queries=[
                (f'sum by (priority) ({h}queue_jobs{{{HUB}, state="waiting"}})', PRIORITY)]),
            Panel(title="Jobs that run, by priority", stacked=True, queries=[
                (f'sum by (priority) ({h}queue_jobs{{{HUB}, state="running"}})', PRIORITY)]),
            Panel(title="Oldest wait, by priority", unit="s", queries=[
                (f"max by (priority) ({h}queue_oldest_wait_seconds{{{HUB}}})", PRIORITY)]),
            Panel(title="Jobs by kind", stacked=True, width=12,
                  about="Those that wait and run, of the kinds chosen above.", queries=[
                (f"sum by (kind) ({h}kind_jobs{{{KIND}}}) > 0", "{{kind}}")]),
            Panel(title="Jobs that ended, a minute", unit="opm", stacked=True, width=12, queries=[
                (f"60 * sum by (end) (rate({h}jobs_ended_total{{{KIND}}}[{RATE}]))", "{{end}}")]),
            Panel(title="From ready to a worker", unit="s", queries=[
                (quantile(0.5, h + "job_wait_seconds"), "half of them"),
                (quantile(0.95, h + "job_wait_seconds"), "95 of 100")]),
            Panel(title="In people's hands", queries=[
                (f"sum by (state) ({h}jobs_set_aside{{{HUB}}})", "{{state}}"),
                (f"sum({h}questions_open{{{HUB}}})", "questions")]),
            Panel(title="Grants and offers", queries=[
                (f"sum({h}grants_held{{{HUB}}})", "granted"),
                (f'sum({h}queue_jobs{{{HUB}, state="offered"}})', "offered"),
                (f"sum(increase({h}late_results_total{{{HUB}}}[{RATE}]))", "late results")]),
        ]),
        ("Computers", [
            Panel(title="Computers, by way", queries=[
                (f"sum by (state) ({h}workers{{{HUB}}})", "{{state}}"),
                (f"sum by (engine) ({h}workers_connected{{{HUB}}})", "over {{engine}}")]),
            Panel(title="Slots", stacked=True, queries=[
                (f"sum by (state) ({h}worker_slots{{{HUB}}})", "{{state}}"),
                (f"sum by (state) ({h}worker_attempts{{{HUB}}})", "{{state}} (no slot)")]),
            Panel(title="Lines, a minute", unit="cpm", queries=[
                (f"60 * sum(rate({h}worker_connections_total{{{HUB}}}[{RATE}]))", "came"),
                (f"60 * sum(rate({h}worker_reconnects_total{{{HUB}}}[{RATE}]))", "came again"),
                (f"60 * sum(rate({h}worker_connections_refused_total{{{HUB}}}[{RATE}]))", "refused"),
                (f"60 * sum by (end) (rate({h}worker_disconnects_total{{{HUB}}}[{RATE}]))",
                 "ended: {{end}}")]),
            Panel(title="How far computers are behind the log", limits=[(1000, YELLOW)],
                  about="Up to 1000 positions are usual while nothing concerns a computer.", queries=[
                (f"max({h}worker_lag_positions_max{{{HUB}}})", "the last one"),
                (f"sum({h}workers_behind{{{HUB}}})", "computers over 1000")]),
            Panel(title="Turned down within five minutes", queries=[
                (f"sum by (code) (increase({h}frames_rejected_total{{{HUB}}}[5m])) > 0",
                 "frame: {{code}}"),
                (f"sum by (code) (increase({h}events_refused_total{{{HUB}}}[5m])) > 0",
                 "event: {{code}}")]),
        ]),
        ("Chats", [
            Panel(title="Messages that wait to be shown", queries=[
                (f"sum by (frontend) ({h}deliveries_waiting{{{HUB}}})", "{{frontend}}")]),
            Panel(title="The oldest of them", unit="s", limits=[(900, RED)],
                  about="What is for a terminal waits until somebody sits there.", queries=[
                (f"max by (frontend) ({h}deliveries_oldest_wait_seconds{{{HUB}}})", "{{frontend}}"),
            ]),
            Panel(title="Frontends that are not well", limits=[(1, RED)],
                  about="Every state but ok, and how many events wait to be made messages.", queries=[
                (f'sum by (frontend, state) ({h}frontend_state{{{HUB}, state!="ok"}})',
                 "{{frontend}} {{state}}"),
                (f"sum({h}outbox_unworded_events{{{HUB}}})", "events not yet worded")]),
        ]),
        ("Store and program", [
            Panel(title="Commits", unit="s", limits=[(0.5, RED)], queries=[
                (quantile(0.5, h + "commit_seconds"), "half of them"),
                (quantile(0.99, h + "commit_seconds"), "99 of 100")]),
            Panel(title="Work of the store, a second", unit="ops", queries=[
                (f"sum(rate({h}transactions_total{{{HUB}}}[{RATE}]))", "transactions"),
                (f"sum(rate({h}commit_seconds_count{{{HUB}}}[{RATE}]))", "commits"),
                (f"sum(rate({h}events_total{{{HUB}}}[{RATE}]))", "events")]),
            Panel(title="Room", unit="bytes", queries=[
                (f"sum({h}store_bytes{{{HUB}}})", "store"),
                (f"min({h}disk_free_bytes{{{HUB}}})", "free on the disk"),
                (f"max({h}backup_newest_bytes{{{HUB}}})", "newest backup")]),
            Panel(title="Event loop, how late", unit="s", limits=[(0.25, RED)], queries=[
                (quantile(0.5, h + "event_loop_lag_seconds"), "half of the looks"),
                (quantile(0.99, h + "event_loop_lag_seconds"), "99 of 100")]),
            Panel(title="CPU", unit="percentunit", queries=[
                (f'sum by (instance) (rate(process_cpu_seconds_total{{job="deskhand-hub", {HUB}}}'
                 f"[{RATE}]))", "{{instance}}")]),
            Panel(title="Memory", unit="bytes", queries=[
                (f'sum by (instance) (process_resident_memory_bytes{{job="deskhand-hub", {HUB}}})',
                 "{{instance}}")]),
            stat("Store in trouble", f"sum({h}store_trouble{{{HUB}}})", limits=[(1, RED)],
                 names={"0": "no"}),
            stat("Age of the newest backup",
                 f"max(time() - ({h}backup_newest_timestamp_seconds{{{HUB}}} > 0))", unit="s",
                 limits=[(100_000, YELLOW), (129_600, RED)]),
            stat("Up since", f'min(process_start_time_seconds{{job="deskhand-hub", {HUB}}}) * 1000',
                 unit="dateTimeFromNow"),
            stat("A scrape costs", f"max({h}metrics_seconds{{{HUB}}})", unit="s",
                 about="To put together; on the hub's one thread."),
        ]),
        ("Log", [
            Panel(title="Warnings and errors", sort="logs", width=24, height=10, queries=[
                ('{container=~"deskhand.*", level=~"warning|error|critical"}', "")]),
        ]),
    ])  # fmt: skip


def fleet() -> Json:
    h = "deskhand_hub_fleet_"
    return dashboard("deskhand-fleet", "Deskhand: fleet", "What waits for the fleet, and who works.", [
        variable("instance", "Hub", "label_values(deskhand_hub_build_info, instance)"),
        variable("kind", "Kind", f"label_values({h}jobs, kind)"),
        variable("pool", "Pool", f"label_values({h}nodes, pool)"),
    ], [
        ("Now", [
            stat("Broker", f"min({h}broker_up{{{HUB}}} and on (instance) {h}configured == 1)",
                 limits=[(0, RED), (1, GREEN)], names={"0": "away", "1": "up"},
                 about="Empty while no hub has a broker."),
            stat("Waiting", f'sum({h}jobs{{{KIND}, state="waiting"}})'),
            stat("Running", f'sum({h}jobs{{{KIND}, state="running"}})'),
            stat("Oldest wait", f"max({h}oldest_wait_seconds{{{KIND}}})", unit="s",
                 limits=[(120, YELLOW), (600, RED)]),
            stat("Nodes", f"sum({h}nodes{{{POOL}}})", limits=[(0, YELLOW), (1, GREEN)]),
            stat("Slots in use", f'sum({h}slots{{{POOL}, state="used"}}) / sum({h}slots{{{POOL}}})',
                 unit="percentunit", about="Of all nodes of the pools chosen."),
        ]),
        ("Work", [
            Panel(title="Waiting, by kind", stacked=True, width=12, queries=[
                (f'sum by (kind) ({h}jobs{{{KIND}, state="waiting"}})', "{{kind}}")]),
            Panel(title="Running, by kind", stacked=True, width=12, queries=[
                (f'sum by (kind) ({h}jobs{{{KIND}, state="running"}})', "{{kind}}")]),
            Panel(title="Waiting, by priority", stacked=True, width=12, queries=[
                (f'sum by (priority) ({h}jobs{{{KIND}, state="waiting"}})', PRIORITY)]),
            Panel(title="Oldest wait, by kind", unit="s", width=12, limits=[(600, RED)], queries=[
                (f"max by (kind) ({h}oldest_wait_seconds{{{KIND}}})", "{{kind}}")]),
        ]),
        ("Nodes", [
            Panel(title="Nodes, by pool", width=12, about="Up, plateau and down: what the scaler did.",
                  queries=[
                (f'sum by (pool) ({h}nodes{{{POOL}, state="taking"}})', "{{pool}}"),
                (f'sum by (pool) ({h}nodes{{{POOL}, state="draining"}})', "{{pool}}, draining")]),
            Panel(title="Slots, by pool", width=12, stacked=True, queries=[
                (f"sum by (pool, state) ({h}slots{{{POOL}}})", "{{pool}} {{state}}")]),
            Panel(title="What waits for each free slot", width=12, limits=[(1, YELLOW)],
                  about="Over 1: more waits than could be begun at once.", queries=[
                (f'sum({h}jobs{{{KIND}, state="waiting"}})'
                 f' / clamp_min(sum({h}slots{{{POOL}, state="free"}}), 1)', "jobs a slot")]),
            Panel(title="Fleet's log", sort="logs", width=12, queries=[
                ('{container=~"deskhand.*"} |~ "fleet|scaler"', "")]),
        ]),
    ])  # fmt: skip


def workers() -> Json:
    w = "deskhand_worker_"
    return dashboard("deskhand-workers", "Deskhand: workers and nodes",
                     "Programs that show their own figures (`--metrics`).", [
        variable("instance", "Worker", f"label_values({w}link, instance)"),
    ], [
        ("Now", [
            stat("Answering", f"count({w}memory_bytes{{{HUB}}})"),
            stat("With a line to a hub", f'sum({w}link{{{HUB}, state="online"}})',
                 about="Nodes of the fleet call over REST and have none."),
            stat("Running", f'sum({w}jobs{{{HUB}, state="running"}})'),
            stat("Waiting for a slot", f'sum({w}jobs{{{HUB}, state="waiting"}})'),
            stat("Unconfirmed events", f"sum({w}outbox_events{{{HUB}}})",
                 limits=[(1000, YELLOW)]),
            stat("The oldest of them", f"max({w}outbox_oldest_seconds{{{HUB}}})", unit="s",
                 limits=[(60, YELLOW), (900, RED)]),
        ]),
        ("Work", [
            Panel(title="Jobs in hand", stacked=True, queries=[
                (f"sum by (state) ({w}jobs{{{HUB}}})", "{{state}}")]),
            Panel(title="Attempts that ended, a minute", unit="opm", stacked=True, queries=[
                (f"60 * sum by (end) (rate({w}attempts_total{{{HUB}}}[{RATE}]))", "{{end}}")]),
            Panel(title="Processes started, a minute", unit="opm", queries=[
                (f"60 * sum by (instance) (rate({w}child_starts_total{{{HUB}}}[{RATE}]))",
                 "{{instance}}")]),
        ]),
        ("Line and store", [
            Panel(title="Line", queries=[
                (f"sum by (state) ({w}link{{{HUB}}})", "{{state}}"),
                (f"sum(increase({w}reconnects_total{{{HUB}}}[{RATE}]))", "came back")]),
            Panel(title="Events the hub has not confirmed", queries=[
                (f"sum by (instance) ({w}outbox_events{{{HUB}}})", "{{instance}}")]),
            Panel(title="Events still to be fetched", queries=[
                (f"sum by (instance) ({w}sync_behind_events{{{HUB}}})", "{{instance}}")]),
            Panel(title="Commits", unit="s", limits=[(0.5, RED)], queries=[
                (quantile(0.5, w + "commit_seconds"), "half of them"),
                (quantile(0.99, w + "commit_seconds"), "99 of 100")]),
            Panel(title="Memory", unit="bytes", about="Without the processes of jobs.", queries=[
                (f"sum by (instance) ({w}memory_bytes{{{HUB}}})", "{{instance}}")]),
        ]),
    ])  # fmt: skip


def all_dashboards() -> dict[str, str]:
    """Draw all, by file name."""
    drawn_ones = {"hub.json": hub(), "fleet.json": fleet(), "workers.json": workers()}
    return {name: json.dumps(one, indent=1) + "\n" for name, one in drawn_ones.items()}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in all_dashboards().items():
        (FOLDER / name).write_text(text)
        sys.stdout.write(f"{FOLDER / name}\n")


if __name__ == "__main__":
    main()
