"""Each rule rejects what breaks it, by its name; what breaks none is carried out."""

from __future__ import annotations

import pytest
from hypothesis import given

from desktop.core.plan.fault import Rule
from desktop.core.plan.rules import DEPTH_MAX, WIDTH_MAX, faults, is_free_to_run, settled
from desktop.core.plan.scope import Scope
from desktop.core.plan.spending import TOKENS_OF_A_MODEL_MIN, Budget, Spent
from shared.plan import (
    Criterion,
    CriterionKind,
    OutputType,
    Permission,
    Plan,
    StepInput,
    StepOutput,
)
from tests.desktop.core.plan.plans import (
    BUDGET,
    HERE,
    ask,
    from_step,
    good_plans,
    plan,
    scope,
    step,
    table,
    value,
    wild_plans,
)

TABLE = StepOutput(name="columns", type=OutputType.JSON)
TEXT = StepOutput(name="text", type=OutputType.TEXT)


def chain(count: int) -> Plan:
    steps = [step("s0")]
    for number in range(1, count):
        steps.append(step(f"s{number}", depends_on=(f"s{number - 1}",)))
    return plan(*steps)


def fan(count: int) -> Plan:
    return plan(*(step(f"s{n}") for n in range(count)), ask("z", *(f"s{n}" for n in range(count))))


def with_criterion(kind: CriterionKind, arg: str, **changes: object) -> Plan:
    return plan(step("a", success_criteria=(Criterion(kind=kind, arg=arg),), **changes))


def budget(**changes: float) -> Scope:
    return scope(budget=BUDGET.model_copy(update=changes))


def source(**changes: str | None) -> StepInput:
    told = {"name": "text", "value": None, "from_step": None, "from_output": None}
    return StepInput.model_validate(told | changes)


BAD: dict[str, tuple[Rule, Plan, Scope]] = {
    "an empty goal": (Rule.TEXT_EMPTY, plan(goal=" "), scope()),
    "a title of blanks": (Rule.TEXT_EMPTY, plan(step(title=" ")), scope()),
    "an id twice": (Rule.ID_TWICE, plan(step("a"), step("a")), scope()),
    "a done step again": (Rule.ID_DONE, plan(step("a")), scope(done={"a": step("a")})),
    "no such final step": (Rule.FINAL_UNKNOWN, plan(final="x"), scope()),
    "a step for nothing": (Rule.STEP_UNUSED, plan(step("a"), step("b")), scope()),
    "no such dependency": (Rule.DEPENDS_UNKNOWN, plan(step(depends_on=("x",))), scope()),
    "itself": (Rule.CYCLE, plan(step(depends_on=("a",))), scope()),
    "a circle": (
        Rule.CYCLE,
        plan(step("a", depends_on=("b",)), step("b", depends_on=("a",))),
        scope(),
    ),
    "too many in a row": (Rule.TOO_DEEP, chain(DEPTH_MAX + 1), scope()),
    "too many side by side": (Rule.TOO_WIDE, fan(WIDTH_MAX + 1), scope()),
    "nobody offers it": (Rule.CAPABILITY_UNKNOWN, plan(step(capability="gpu.train")), scope()),
    "a known kind that nobody offers": (
        Rule.CAPABILITY_UNKNOWN,
        plan(step(capability="code.feature")),
        scope(),
    ),
    "a plan in a plan": (
        Rule.CAPABILITY_UNKNOWN,
        plan(step(capability="plan")),
        scope(here=frozenset({"plan", "llm.ask"})),
    ),
    "a kind that is nothing in plans": (
        Rule.CAPABILITY_UNKNOWN,
        plan(step(capability="llm.run")),
        scope(here=frozenset({"llm.run"})),
    ),
    "more than the cap": (
        Rule.PERMISSION_ABOVE,
        plan(step(permission=Permission.WRITE)),
        scope(cap=Permission.READ),
    ),
    "less claimed than its kind does": (
        Rule.PERMISSION_ABOVE,
        plan(step(capability="code.bugfix", outputs=(), permission=Permission.READ)),
        scope(cap=Permission.WRITE),
    ),
    "no instructions": (Rule.INSTRUCTIONS_MISSING, plan(step(instructions=" ")), scope()),
    "no such input": (Rule.INPUT_UNKNOWN, plan(step(inputs=(value("model", "x"),))), scope()),
    "an input twice": (
        Rule.INPUT_TWICE,
        plan(step(inputs=(value("sources_max", "1"), value("sources_max", "2")))),
        scope(),
    ),
    "neither value nor step": (Rule.INPUT_SOURCE, plan(ask("a", inputs=(source(),))), scope()),
    "both value and step": (
        Rule.INPUT_SOURCE,
        plan(step("a"), ask("b", "a", inputs=(source(value="x", from_step="a"),))),
        scope(),
    ),
    "from no step": (
        Rule.INPUT_FROM_UNKNOWN,
        plan(ask("a", inputs=(from_step("text", "x", "findings"),))),
        scope(),
    ),
    "from no output": (
        Rule.INPUT_FROM_UNKNOWN,
        plan(step("a"), ask("b", "a", inputs=(from_step("text", "a", "columns"),))),
        scope(),
    ),
    "from an output that is not told": (
        Rule.INPUT_FROM_UNKNOWN,
        plan(step("a"), ask("b", "a", inputs=(from_step("text", "a", "sources"),))),
        scope(),
    ),
    "from a step that is not awaited": (
        Rule.INPUT_FROM_NOT_AWAITED,
        plan(step("a"), ask("b", "a", depends_on=())),
        scope(),
    ),
    "a text for a file": (
        Rule.INPUT_TYPE,
        plan(step("a"), ask("b", "a", inputs=(from_step("file", "a", "findings"),))),
        scope(),
    ),
    "a word for a number": (
        Rule.INPUT_VALUE,
        plan(step(inputs=(value("sources_max", "many"),))),
        scope(),
    ),
    "no such output": (
        Rule.OUTPUT_UNKNOWN,
        plan(step(outputs=(TABLE,))),
        scope(),
    ),
    "an output twice": (
        Rule.OUTPUT_TWICE,
        plan(ask("a", outputs=(TEXT, TEXT))),
        scope(),
    ),
    "an output of another type": (
        Rule.OUTPUT_TYPE,
        plan(ask("a", outputs=(TEXT.model_copy(update={"type": OutputType.FILE}),))),
        scope(),
    ),
    "more tokens than are left": (Rule.TOKENS, plan(), scope(spent=Spent(tokens=199_000))),
    "more money than is left": (Rule.COST, plan(), budget(usd_per_token=0.01)),
    "more time than is left": (Rule.SECONDS, plan(), budget(seconds_max=100)),
    "more jobs than are left": (Rule.JOBS, plan(), budget(jobs_max=1)),
}
for _name, _value in (("rows_max", "1e99"), ("style", "odd"), ("is_short", "maybe")):
    BAD[f"{_name} of {_value}"] = (
        Rule.INPUT_VALUE,
        plan(table("a", inputs=(value(_name, _value),))),
        scope(here=HERE | {"table.make"}),
    )
BAD["a file for another computer"] = (
    Rule.FILE_ELSEWHERE,
    plan(table("a"), ask("b", "a", inputs=(from_step("file", "a", "table"),))),
    scope(elsewhere={"table.make": "anna-pc"}),
)
BAD["a kind that cannot be held to local models"] = (
    Rule.NOT_LOCAL,
    plan(table("a")),
    scope(here=frozenset({"table.make"}), is_local=True),
)
CRITERIA = {
    "no such output": with_criterion(CriterionKind.NONEMPTY, "text"),
    "a file where none is": with_criterion(CriterionKind.FILE_EXISTS, ""),
    "a text as a file": with_criterion(CriterionKind.FILE_EXISTS, "findings"),
    "look-ahead": with_criterion(CriterionKind.REGEX, "(?=a)"),
    "an open bracket": with_criterion(CriterionKind.REGEX, "["),
    "a pattern that explodes": with_criterion(CriterionKind.REGEX, "(a{1000}){1000}"),
    "a pattern without end": with_criterion(CriterionKind.REGEX, "a" * 501),
    "no pattern": with_criterion(CriterionKind.REGEX, ""),
    "no text to search": with_criterion(CriterionKind.REGEX, "a", outputs=()),
    "no json": with_criterion(CriterionKind.JSON_SCHEMA, "{}"),
    "tests of what has none": with_criterion(CriterionKind.COMMAND_OK, ""),
    "no question for a judge": with_criterion(CriterionKind.LLM_JUDGE, " "),
    "no question for a person": with_criterion(CriterionKind.HUMAN, ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_plan_is_rejected_by_the_rule_that_it_breaks(name: str) -> None:
    rule, bad, held_to = BAD[name]
    found = faults(settled(bad, held_to), held_to)
    assert rule in {fault.rule for fault in found}, found
    assert all(fault.sentence.endswith(".") for fault in found)


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_that_cannot_be_checked_is_rejected(name: str) -> None:
    found = faults(settled(CRITERIA[name], scope()), scope())
    assert [fault.rule for fault in found] == [Rule.CRITERION]


def test_every_rule_that_judges_plans_has_its_bad_example() -> None:
    replies = {Rule.REPLY_NOT_JSON, Rule.REPLY_TOO_LONG, Rule.SHAPE}
    shown = {rule for rule, _, _ in BAD.values()} | {Rule.CRITERION, *replies}
    assert set(Rule) == shown


def test_a_file_is_handed_on_where_it_is() -> None:
    held_to = scope(here=HERE | {"table.make"})
    passed = plan(table("a"), ask("b", "a", inputs=(from_step("file", "a", "table"),)))
    assert faults(settled(passed, held_to), held_to) == ()


def test_the_good_plan_has_no_faults() -> None:
    assert faults(settled(plan(), scope()), scope()) == ()


@given(good_plans())
def test_plans_that_keep_the_rules_are_taken(good: Plan) -> None:
    wide = budget(tokens_max=10**7)
    assert faults(settled(good, wide), wide) == ()


@given(wild_plans())
def test_what_is_taken_is_offered_permitted_and_affordable(wild: Plan) -> None:
    held_to = scope(cap=Permission.EXECUTE, budget=BUDGET)
    ready = settled(wild, held_to)
    found = faults(ready, held_to)
    assert all(fault.rule in Rule for fault in found)
    if found:
        return
    assert len({one.id for one in ready.steps}) == len(ready.steps)
    assert sum(one.est_tokens * one.max_attempts for one in ready.steps) <= BUDGET.tokens_max
    for one in ready.steps:
        face = held_to.face(one.capability)
        assert face is not None
        assert face.permission.rank <= one.permission.rank <= held_to.cap.rank


def test_a_model_cannot_claim_that_a_step_only_reads() -> None:
    claimed = plan(step(capability="code.bugfix", outputs=(), permission=Permission.READ))
    ready = settled(claimed, scope())
    assert ready.steps[0].permission is Permission.EXECUTE
    assert not is_free_to_run(claimed, scope())
    assert not is_free_to_run(ready, scope())


def test_a_plan_that_only_reads_runs_without_asking() -> None:
    assert is_free_to_run(settled(plan(), scope()), scope())


def test_a_step_that_claims_more_than_its_kind_is_asked_about() -> None:
    assert not is_free_to_run(plan(step(permission=Permission.WRITE)), scope())


def test_a_step_with_an_effect_may_be_an_end_of_its_own() -> None:
    loose = plan(step("a", capability="code.bugfix", outputs=()), step("b"))
    assert faults(settled(loose, scope()), scope()) == ()


def test_texts_that_act_are_made_plain() -> None:
    ready = settled(plan(step(title="a\u202eb\nc"), goal="x\x1b[2J"), scope())
    assert ready.steps[0].title == "a\ufffdb c"
    assert "\x1b" not in ready.goal


def test_a_step_that_calls_a_model_is_expected_to_use_tokens() -> None:
    ready = settled(plan(step(est_tokens=0)), scope())
    assert ready.steps[0].est_tokens == TOKENS_OF_A_MODEL_MIN


def test_a_plan_may_build_on_what_is_done() -> None:
    held_to = scope(done={"a": step("a")})
    assert faults(settled(plan(ask("b", "a")), held_to), held_to) == ()


def test_the_end_may_be_a_step_that_is_done() -> None:
    held_to = scope(done={"a": step("a")})
    fix = step("b", capability="code.bugfix", outputs=())
    assert faults(settled(plan(fix, final="a"), held_to), held_to) == ()


def test_all_faults_of_a_plan_are_told_at_once() -> None:
    bad = plan(step("a", capability="gpu.train"), step("b", instructions=""), final="a")
    rules = {fault.rule for fault in faults(bad, scope())}
    assert rules >= {Rule.CAPABILITY_UNKNOWN, Rule.INSTRUCTIONS_MISSING, Rule.STEP_UNUSED}


def test_a_fault_reads_as_a_line_for_the_model() -> None:
    held_to = scope(budget=Budget(tokens_max=9, cost_usd_max=1, seconds_max=999, jobs_max=9))
    (fault,) = faults(plan(step()), held_to)
    assert str(fault).startswith("[tokens] It may use 2,000 tokens")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("code.bugfix", "repository"),
        ("code.bugfix", "test_command"),
        ("files.write", "file"),
        ("files.write", "overwrite"),
        ("files.edit", "file"),
    ],
    ids=str,
)
def test_what_a_page_says_names_no_file_and_no_command(kind: str, name: str) -> None:
    """Whoever approves a plan sees what it is done to, and not only where that will come from."""
    held_to = scope(here=HERE | {kind})
    link = from_step(name, "a", "findings")
    made = plan(
        step("a"),
        step("b", capability=kind, inputs=(link,), depends_on=("a",), outputs=()),
    )
    told = [one.sentence for one in faults(settled(made, held_to), held_to)]
    assert any(f"'{name}' has to be named in the plan itself" in one for one in told)
