"""Each alert fires when it should, and keeps quiet when it should: promtool plays the time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.packaging.observability.stack import ALERTS, DOCS, FOLDER, RULES

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not there")
H = 'instance="h"'
HUB = "deskhand_hub_"
UP = {f'up{{job="deskhand-hub",{H}}}': "1x6000"}
DAY = 24 * 60


@dataclass(frozen=True)
class Case:
    """What Prometheus sees each minute, and which alerts fire after how many minutes."""

    name: str
    series: dict[str, str]
    fires: dict[int, str]
    """Minute: the alert, or nothing."""
    is_up: bool = True
    is_long: bool = False
    """Days: the rules are looked at every ten minutes."""


def one(name: str, values: str, **labels: str) -> dict[str, str]:
    told = ",".join([H, *(f'{key}="{value}"' for key, value in labels.items())])
    return {f"{name}{{{told}}}": values}


def histogram(name: str, slow: str, fast: str) -> dict[str, str]:
    """Counts up to 0.1 s, and up to a second."""
    return {
        **one(name + "_bucket", fast, le="0.1"),
        **one(name + "_bucket", slow, le="1.0"),
        **one(name + "_bucket", slow, le="+Inf"),
    }


def waits(priority: str, values: str, ready: str) -> dict[str, str]:
    return {
        **one(HUB + "queue_oldest_wait_seconds", values, priority=priority),
        **one(HUB + "workers", ready, state="ready"),
    }


def ended(**ends: str) -> dict[str, str]:
    return {
        series: values
        for end, values in ends.items()
        for series, values in one(HUB + "jobs_ended_total", values, kind="k", end=end).items()
    }


def backup(newest: str, wanted: str = "7x6000", started: str = "0x6000") -> dict[str, str]:
    return {
        **one(HUB + "backup_newest_timestamp_seconds", newest),
        **one(HUB + "backups_wanted", wanted),
        **one("process_start_time_seconds", started, job="deskhand-hub"),
    }


def fleet_jobs(values: str, taking: str) -> dict[str, str]:
    return {
        **one(HUB + "fleet_jobs", values, kind="llm.ask", priority="low", state="waiting"),
        **one(HUB + "fleet_nodes", taking, pool="gpu", state="taking"),
    }


def frontend(values: str, *, state: str) -> dict[str, str]:
    return one(HUB + "frontend_state", values, frontend="telegram", state=state)


def delivery(values: str, frontend: str) -> dict[str, str]:
    return one(HUB + "deliveries_oldest_wait_seconds", values, frontend=frontend)


LAG, COMMIT = HUB + "event_loop_lag_seconds", HUB + "commit_seconds"
STEADY = {"slow": "0+60x60", "fast": "0+60x60"}
LATE = {"slow": "0+60x60", "fast": "0+30x60"}
CASES = (
    Case("all is well", {}, {60: ""}),
    Case("down", one("up", "1x5 0x20", job="deskhand-hub"), {6: "", 9: "HubDown"}, is_up=False),
    Case("a restart", one("up", "1x5 0x0 1x20", job="deskhand-hub"), {9: ""}, is_up=False),
    Case("no target", one("up", "1x20", job="watching"), {4: "", 6: "HubUnknown"}, is_up=False),
    Case("loop", histogram(LAG, **LATE), {5: "", 30: "EventLoopLate"}),
    Case("loop in time", histogram(LAG, **STEADY), {30: ""}),
    Case("high waits", waits("high", "400x30", "1x30"), {3: "", 6: "OldestWaitTooLong"}),
    Case("default waits less", waits("default", "400x30", "1x30"), {20: ""}),
    Case("default waits", waits("default", "1900x30", "1x30"), {6: "OldestWaitTooLong"}),
    Case("low waits", waits("low", "21700x30", "1x30"), {6: "OldestWaitTooLong"}),
    Case("everybody sleeps", waits("high", "9000x30", "0x30"), {20: ""}),
    Case(
        "nobody works",
        {
            **one(HUB + "queue_jobs", "2x90", priority="low", state="waiting"),
            **one(HUB + "workers", "0x90", state="ready"),
        },
        {50: "", 61: "NobodyWorks"},
    ),
    Case(
        "the fleet works",
        {
            **one(HUB + "queue_jobs", "2x90", priority="low", state="waiting"),
            **one(HUB + "workers", "0x90", state="ready"),
            **one(HUB + "fleet_nodes", "1x90", pool="gpu", state="taking"),
        },
        {61: ""},
    ),
    Case(
        "nothing waits",
        {
            **one(HUB + "queue_jobs", "0x90", priority="low", state="waiting"),
            **one(HUB + "workers", "0x90", state="ready"),
        },
        {61: ""},
    ),
    Case(
        "letters", ended(dead="0x30 0+1x60", succeeded="0+9x90"), {32: "", 60: "DeadLettersRising"}
    ),
    Case("two letters", ended(dead="0x30 1x20 2x60", succeeded="0+9x90"), {80: ""}),
    Case("most fail", ended(failed="0+2x90", succeeded="0+1x90"), {5: "", 60: "JobsFail"}),
    Case("few fail", ended(failed="0+1x90", succeeded="0+2x90"), {60: ""}),
    Case("of a handful all fail", ended(failed="0x30 0+1x10 10x50"), {60: ""}),
    Case("failed", frontend("1x20", state="failed"), {4: "", 6: "FrontendFailed"}),
    Case("troubled", frontend("1x60", state="troubled"), {20: "", 31: "FrontendTroubled"}),
    Case("well", frontend("1x60", state="ok"), {60: ""}),
    Case("stuck", delivery("1000x20", "telegram"), {4: "", 6: "OutboxStuck"}),
    Case("no terminal", delivery("90000x20", "console"), {20: ""}),
    Case("unworded", one(HUB + "outbox_unworded_events", "6000x20"), {4: "", 6: "OutboxBehind"}),
    Case("worded", one(HUB + "outbox_unworded_events", "4000x20"), {20: ""}),
    Case("store", one(HUB + "store_trouble", "1x9", code="disk_full"), {2: "StoreInTrouble"}),
    Case("store is well", one(HUB + "store_trouble", "0x9", code="disk_full"), {9: ""}),
    Case("disk is slow", histogram(COMMIT, **LATE), {5: "", 30: "CommitsSlow"}),
    Case("disk is quick", histogram(COMMIT, **STEADY), {30: ""}),
    Case("no room", one(HUB + "disk_free_bytes", "1000000000x30"), {5: "", 11: "DiskNearlyFull"}),
    Case(
        "room goes",
        one(HUB + "disk_free_bytes", "15000000000-12000000x600"),
        {120: "DiskNearlyFull"},
    ),
    Case("much room goes", one(HUB + "disk_free_bytes", "90000000000-12000000x600"), {120: ""}),
    Case("room stays", one(HUB + "disk_free_bytes", "15000000000x600"), {120: ""}),
    Case("no backup", backup("0x6000"), {DAY: "", 2 * DAY: "BackupMissing"}, is_long=True),
    Case(
        "a backup a day",
        backup(f"0x{DAY} {DAY * 60}x{DAY} {2 * DAY * 60}x{DAY}"),
        {2 * DAY: ""},
        is_long=True,
    ),
    Case("none wanted", backup("0x6000", wanted="0x6000"), {2 * DAY: ""}, is_long=True),
    Case(
        "just started",
        backup("0x6000", started=f"{2 * DAY * 60 - 3600}x6000"),
        {2 * DAY: ""},
        is_long=True,
    ),
    Case("old figures", one(HUB + "census_age_seconds", "400x20"), {4: "", 6: "FiguresOld"}),
    Case("new figures", one(HUB + "census_age_seconds", "15x20"), {20: ""}),
    Case(
        "nonsense",
        one(HUB + "frames_rejected_total", "0+2x40", code="frame_malformed"),
        {3: "", 30: "FramesRejected"},
    ),
    Case(
        "a little nonsense",
        one(HUB + "frames_rejected_total", "0x10 3x30", code="frame_malformed"),
        {30: ""},
    ),
    Case("behind", one(HUB + "workers_behind", "2x30"), {10: "", 16: "WorkersBehind"}),
    Case("abreast", one(HUB + "workers_behind", "0x30"), {30: ""}),
    Case(
        "worker's outbox",
        {
            **one("deskhand_worker_outbox_oldest_seconds", "1000x20"),
            **one("deskhand_worker_link", "1x20", state="online"),
        },
        {4: "", 6: "WorkerOutboxStuck"},
    ),
    Case(
        "worker on a train",
        {
            **one("deskhand_worker_outbox_oldest_seconds", "9000x20"),
            **one("deskhand_worker_link", "0x20", state="online"),
        },
        {20: ""},
    ),
    Case(
        "broker",
        {**one(HUB + "fleet_configured", "1x9"), **one(HUB + "fleet_broker_up", "0x9")},
        {1: "", 3: "FleetBrokerDown"},
    ),
    Case(
        "no broker set",
        {**one(HUB + "fleet_configured", "0x9"), **one(HUB + "fleet_broker_up", "0x9")},
        {9: ""},
    ),
    Case("no nodes", fleet_jobs("3x20", "0x20"), {9: "", 11: "FleetWithoutNodes"}),
    Case("nodes", fleet_jobs("3x20", "1x20"), {20: ""}),
    Case("no work", fleet_jobs("0x20", "0x20"), {20: ""}),
)


def as_promtool(case: Case) -> dict[str, object]:
    series = {**(UP if case.is_up else {}), **case.series}
    return {
        "name": case.name,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}]
                if alert
                else [],
            }
            for minute, alert in case.fires.items()
        ],
    }


def play(
    folder: Path, *tests: dict[str, object], every: str = "1m"
) -> subprocess.CompletedProcess[str]:
    file = folder / "alerts.json"  # JSON is YAML
    told = {
        "rule_files": [str(rule) for rule in RULES],
        "evaluation_interval": every,
        "tests": list(tests),
    }
    file.write_text(json.dumps(told))
    return subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )


def test_the_rules_are_sound() -> None:
    told = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize(("is_long", "every"), [(False, "1m"), (True, "10m")])
def test_every_alert_fires_and_keeps_quiet_at_its_time(
    tmp_path: Path, is_long: bool, every: str
) -> None:
    those = [as_promtool(case) for case in CASES if case.is_long is is_long]
    told = play(tmp_path, *those, every=every)
    assert told.returncode == 0, told.stdout + told.stderr


def test_such_a_test_can_fail(tmp_path: Path) -> None:
    wrong = Case("wrong", one("up", "1x9", job="deskhand-hub"), {5: "HubDown"}, is_up=False)
    assert play(tmp_path, as_promtool(wrong)).returncode != 0


def test_every_alert_is_played_both_ways() -> None:
    fired = {alert for case in CASES for alert in case.fires.values() if alert}
    assert fired == {alert["alert"] for alert in ALERTS}
    for name in fired:
        quiet = any(
            "" in case.fires.values() and set(case.series) & set(loud.series)
            for loud in CASES
            if name in loud.fires.values()
            for case in CASES
        )
        assert quiet, f"{name} is never seen to keep quiet"


def test_what_an_alert_says_is_filled_in(tmp_path: Path) -> None:
    [rule] = [alert for alert in ALERTS if alert["alert"] == "OldestWaitTooLong"]
    expected = {
        "summary": "A job of priority high waits for 6m 40s",
        "description": "Computers are connected to h and take work, but not this.",
        "runbook": rule["annotations"]["runbook"],
    }
    case = as_promtool(Case("said", waits("high", "400x30", "1x30"), {}))
    case["alert_rule_test"] = [
        {
            "eval_time": "10m",
            "alertname": "OldestWaitTooLong",
            "exp_alerts": [
                {
                    "exp_labels": {"severity": "warning", "instance": "h", "priority": "high"},
                    "exp_annotations": expected,
                }
            ],
        }
    ]
    told = play(tmp_path, case)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(
    alert: dict[str, dict[str, str]],
) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert {"summary", "description", "runbook"} == set(alert["annotations"])
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert page == "docs/observability.md"
    headings = re.findall(r"^#+ (.+)$", DOCS.read_text(), re.M)
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
    assert anchor == str(alert["alert"]).lower()


def test_alertmanagers_routes_lead_to_receivers() -> None:
    told = yaml.safe_load((FOLDER / "alertmanager" / "alertmanager.yml").read_text())
    assert told["route"]["receiver"] in [one["name"] for one in told["receivers"]]
    names = {alert["alert"] for alert in ALERTS}
    for rule in told["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            assert re.split(r" !?= ", matcher)[1] in names
