"""Dashboards as files: drawn as they stand, whole, and asking for nothing that nobody tells."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest

from desktop.core.figures import Figures
from desktop.system.metrics_page import written
from hub.frontends.metrics.catalogue import FIGURES, Sort
from shared.histogram import COMMIT_SECONDS, Histogram
from tests.packaging.observability.stack import (
    ALL_RULES,
    DASHBOARDS,
    FOLDER,
    asked,
    panels,
    read_yaml,
)

SUFFIXES = {Sort.HISTOGRAM: ("_bucket", "_sum", "_count")}
OF_HUB = {
    figure.name + suffix
    for figure in FIGURES.values()
    for suffix in SUFFIXES.get(figure.sort, ("",))
}
WORKERS_PAGE = written(
    Figures(
        outbox_events=1,
        outbox_oldest_seconds=1.0,
        behind_events=1,
        commits=Histogram(COMMIT_SECONDS),
    )
).decode()
OF_WORKER = set(re.findall(r"^(deskhand_worker_\w+)", WORKERS_PAGE, re.M))
RECORDED = {rule["record"] for rule in ALL_RULES if "record" in rule}
UNITS = {"short", "s", "bytes", "ops", "opm", "cpm", "percentunit", "dateTimeFromNow"}
"""Ids of Grafana's units (packages/grafana-data/src/valueFormats/categories.ts)."""


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bdeskhand[a-z0-9_]*(?::[a-z0-9_:]+|_[a-z0-9_]+)\b", expression))


def test_they_stand_as_they_are_drawn() -> None:
    drawn = runpy.run_path(str(FOLDER / "draw.py"))["all_dashboards"]()
    on_disk = {name: (FOLDER / "grafana" / "dashboards" / name).read_text() for name in DASHBOARDS}
    assert on_disk == drawn


@pytest.mark.parametrize("name", DASHBOARDS)
def test_ids_and_titles_are_told_once_and_nothing_lies_over_another(name: str) -> None:
    shown = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in shown}) == len(shown)
    titles = [panel["title"] for panel in shown if panel["type"] != "row"]
    assert len(set(titles)) == len(titles)
    taken: set[tuple[int, int]] = set()
    for panel in shown:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_dashboards_have_ids_of_their_own_and_no_internal_ones() -> None:
    assert len({one["uid"] for one in DASHBOARDS.values()}) == len(DASHBOARDS)
    assert len({one["title"] for one in DASHBOARDS.values()}) == len(DASHBOARDS)
    for one in DASHBOARDS.values():
        assert "id" not in one
        assert "__inputs" not in one
        assert one["editable"] is False


def test_every_panel_asks_a_source_that_is_provisioned() -> None:
    sources = read_yaml("grafana/provisioning/datasources/deskhand.yml")["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    for name, panel in panels():
        if panel["type"] == "row":
            continue
        assert panel["targets"], (name, panel["title"])
        for target in panel["targets"]:
            source = target["datasource"]
            assert (source["type"], source["uid"]) in known
            assert target["expr"].strip()
        if panel["type"] != "logs":
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


def test_no_row_is_empty() -> None:
    for dashboard in DASHBOARDS.values():
        kinds = [panel["type"] for panel in dashboard["panels"]]
        assert kinds[0] == "row"
        assert ("row", "row") not in zip(kinds, [*kinds[1:], "row"], strict=True)


def test_queries_ask_only_for_names_that_a_hub_or_a_worker_tells() -> None:
    known = OF_HUB | OF_WORKER | RECORDED
    for name, panel in panels():
        for expression in asked(panel, "prometheus"):
            assert names_in(expression) <= known, (name, panel["title"])
    for rule in ALL_RULES:
        assert names_in(rule["expr"]) <= known, rule


def test_every_figure_of_the_hub_is_looked_at_somewhere() -> None:
    told = " ".join(
        expression for _, panel in panels() for expression in asked(panel, "prometheus")
    )
    told += " ".join(rule["expr"] for rule in ALL_RULES)
    told += " ".join(str(one["templating"]) for one in DASHBOARDS.values())
    unseen = {figure.name for figure in FIGURES.values() if figure.name not in told}
    assert unseen <= {"deskhand_hub_log_position", "deskhand_hub_backups"}


def variables(dashboard: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_choices_are_made_of_labels_that_there_are_and_all_are_used(name: str) -> None:
    dashboard = DASHBOARDS[name]
    text = " ".join(
        expression for panel in dashboard["panels"] for expression in asked(panel, "prometheus")
    )
    used = set(re.findall(r"\$(\w+)", text)) - {"__rate_interval"}
    assert used == variables(dashboard).keys()
    labels = {figure.name: {*figure.labels, "instance"} for figure in FIGURES.values()}
    for variable in variables(dashboard).values():
        asked_for = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
        assert asked_for
        assert asked_for[2] in labels.get(asked_for[1], {"instance"})
