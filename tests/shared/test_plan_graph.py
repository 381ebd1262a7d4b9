"""Where the steps of a plan are drawn."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from shared.plan import STEPS_MAX, ShownPlan, ShownStep
from shared.plan_graph import GAP_X, NODE_WIDTH, Graph, Node, graph_of


def drawn(needs: dict[str, tuple[str, ...]]) -> Graph:
    steps = tuple(
        ShownStep(id=name, number=number, title=name, kind="llm.ask", depends_on=needed)
        for number, (name, needed) in enumerate(needs.items(), start=1)
    )
    return graph_of(ShownPlan(goal="x", steps=steps))


def at(graph: Graph, name: str) -> Node:
    return next(node for node in graph.nodes if node.step.id == name)


def test_a_step_stands_right_of_all_it_needs() -> None:
    graph = drawn({"read": (), "news": (), "sum": ("read",), "write": ("sum", "news")})
    assert at(graph, "read").x == at(graph, "news").x
    assert at(graph, "sum").x == at(graph, "read").x + NODE_WIDTH + GAP_X
    assert at(graph, "write").x > at(graph, "sum").x
    assert len(graph.lines) == 3


def test_lines_that_need_not_cross_do_not() -> None:
    graph = drawn({"a": (), "b": (), "c": ("b",), "d": ("a",)})
    assert (at(graph, "a").y < at(graph, "b").y) == (at(graph, "d").y < at(graph, "c").y)


def test_a_circle_and_a_step_that_is_not_there_are_drawn_all_the_same() -> None:
    graph = drawn({"a": ("b", "gone"), "b": ("a",)})
    assert len(graph.nodes) == 2
    assert len(graph.lines) == 2


def test_a_line_that_passes_a_column_runs_behind_no_box_of_it() -> None:
    graph = drawn({"a": (), "b": ("a",), "c": ("a", "b")})
    [line] = [line for line in graph.lines if (line.before, line.after) == ("a", "c")]
    box = at(graph, "b")
    passing = [y for x, y in line.points if box.x <= x <= box.x + box.width]
    assert len(passing) == 2
    assert all(not box.y <= y <= box.y + box.height for y in passing)


def test_nothing_makes_an_empty_drawing() -> None:
    assert drawn({}).nodes == ()


@given(st.lists(st.sets(st.integers(0, STEPS_MAX - 1)), max_size=STEPS_MAX))
def test_boxes_never_overlap_and_stay_inside(needs: list[set[int]]) -> None:
    names = [f"s{number}" for number in range(STEPS_MAX)]
    pairs = zip(names, needs, strict=False)
    graph = drawn({name: tuple(names[one] for one in sorted(needed)) for name, needed in pairs})
    for node in graph.nodes:
        assert node.x >= 0
        assert node.y >= 0
        assert node.x + node.width <= graph.width
        assert node.y + node.height <= graph.height
    for one, other in combinations(graph.nodes, 2):
        apart_x = abs(one.x - other.x) >= one.width
        assert apart_x or abs(one.y - other.y) >= one.height
