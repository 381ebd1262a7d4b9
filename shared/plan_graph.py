"""Where the steps of a plan stand when they are drawn: columns from left to right, few crossings.

Windows and pages draw the same layout (Sugiyama, Tagawa and Toda 1981, in small: columns by the
longest way, then each column ordered by the middle of what its steps are joined to).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.plan import ShownPlan, ShownStep

NODE_WIDTH, NODE_HEIGHT = 196.0, 44.0
LANE_HEIGHT = 6.0
"""Of a line that passes through a column, so that it runs behind no box."""
GAP_X, GAP_Y = 40.0, 14.0
EDGE = 2.0
"""Around the whole, so that no line is cut."""
SWEEPS = 4
_Pass = tuple[str, str, int]
"""The place where a line passes: from which step, to which, and in which column."""
_Item = str | _Pass


@dataclass(frozen=True, slots=True)
class Node:
    """A step's box, by its upper left corner."""

    step: ShownStep
    x: float
    y: float
    width: float = NODE_WIDTH
    height: float = NODE_HEIGHT


@dataclass(frozen=True, slots=True)
class Line:
    """From a step's right side to the left side of one that needs it."""

    before: str
    after: str
    points: tuple[tuple[float, float], ...]
    """In pairs that a level line joins or a curve with level ends: right side of a column, left
    side of the next, and through that."""


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def graph_of(plan: ShownPlan) -> Graph:
    """Lay out a plan; one with a circle, or with steps that are missing, is drawn all the same."""
    steps = {step.id: step for step in plan.steps}
    needs = {
        step.id: tuple(dict.fromkeys(one for one in step.depends_on if one in steps))
        for step in plan.steps
    }
    depth = _depths(needs)
    ways = {(one, name): _way(one, name, depth) for name in steps for one in needs[name]}
    columns = _ordered(_columns(depth, ways), _joined(ways))
    tallest = max((_height(column) for column in columns), default=0.0)
    places: dict[_Item, tuple[float, float]] = {}
    for number, column in enumerate(columns):
        y = EDGE + (tallest - _height(column)) / 2
        for item in column:
            places[item] = EDGE + number * (NODE_WIDTH + GAP_X), y
            y += _size(item) + GAP_Y
    return Graph(
        nodes=tuple(Node(steps[name], *places[name]) for name in steps),
        lines=tuple(Line(one, name, _points(way, places)) for (one, name), way in ways.items()),
        width=max(0.0, len(columns) * (NODE_WIDTH + GAP_X) - GAP_X) + 2 * EDGE,
        height=tallest + 2 * EDGE,
    )


def _depths(needs: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Put each step one column behind the last of what it needs."""
    depth = dict.fromkeys(needs, 0)
    for _ in needs:
        moved = False
        for name, needed in needs.items():
            wanted = 1 + max((depth[one] for one in needed), default=-1)
            # A circle would push its steps ever further.
            if depth[name] < wanted < len(needs):
                depth[name], moved = wanted, True
        if not moved:
            break
    shown = {column: number for number, column in enumerate(sorted(set(depth.values())))}
    return {name: shown[column] for name, column in depth.items()}


def _way(one: str, other: str, depth: Mapping[str, int]) -> tuple[_Item, ...]:
    """The items that a line joins: its ends, and a place in each column between them."""
    passed = range(depth[one] + 1, depth[other])
    return (one, *((one, other, column) for column in passed), other)


def _columns(
    depth: Mapping[str, int], ways: Mapping[tuple[str, str], tuple[_Item, ...]]
) -> list[list[_Item]]:
    columns: list[list[_Item]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name, column in depth.items():
        columns[column].append(name)
    for way in ways.values():
        for item in way[1:-1]:
            assert not isinstance(item, str)
            columns[item[2]].append(item)
    return columns


def _joined(
    ways: Mapping[tuple[str, str], tuple[_Item, ...]],
) -> tuple[Mapping[_Item, list[_Item]], Mapping[_Item, list[_Item]]]:
    """What each item is joined to on its left, and on its right."""
    left: dict[_Item, list[_Item]] = {}
    right: dict[_Item, list[_Item]] = {}
    for way in ways.values():
        for one, other in pairwise(way):
            left.setdefault(other, []).append(one)
            right.setdefault(one, []).append(other)
    return left, right


def _ordered(
    columns: list[list[_Item]],
    joined: tuple[Mapping[_Item, list[_Item]], Mapping[_Item, list[_Item]]],
) -> list[list[_Item]]:
    """Order each column so that lines cross little: forwards, then backwards, a few times."""
    rows = {item: row for column in columns for row, item in enumerate(column)}
    for sweep in range(SWEEPS):
        side = joined[sweep % 2]
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=lambda item: _middle(side.get(item, []), rows, rows[item]))
            rows.update({item: row for row, item in enumerate(column)})
    return columns


def _middle(joined: Sequence[_Item], rows: Mapping[_Item, int], own: int) -> float:
    return sum(rows[item] for item in joined) / len(joined) if joined else float(own)


def _size(item: _Item) -> float:
    return NODE_HEIGHT if isinstance(item, str) else LANE_HEIGHT


def _height(column: Sequence[_Item]) -> float:
    return sum(_size(item) + GAP_Y for item in column) - GAP_Y


def _points(
    way: Sequence[_Item], places: Mapping[_Item, tuple[float, float]]
) -> tuple[tuple[float, float], ...]:
    sides = [
        (x + side, y + _size(item) / 2)
        for item in way
        for x, y in [places[item]]
        for side in (0.0, NODE_WIDTH)
    ]
    # Not the outer sides of its two ends.
    return tuple(sides[1:-1])
