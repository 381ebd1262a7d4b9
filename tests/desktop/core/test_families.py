"""Ticks in the assistant change exactly what they say in the owner's rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.core.families import Family, allowed, with_families
from desktop.core.policy import Policy, parse_policy, write_policy
from shared.jobs import Origin

ANY_FAMILIES = st.frozensets(st.sampled_from(Family))


def test_a_new_policy_allows_all_of_them() -> None:
    assert allowed(Policy()) == frozenset(Family)


@given(ANY_FAMILIES)
def test_what_was_ticked_is_allowed_and_nothing_else(wanted: frozenset[Family]) -> None:
    policy = with_families(Policy(), wanted)
    assert allowed(policy) == wanted
    assert parse_policy(write_policy(policy)) == policy


@given(ANY_FAMILIES, ANY_FAMILIES)
def test_what_is_ticked_again_is_as_it_was(
    first: frozenset[Family], then: frozenset[Family]
) -> None:
    assert allowed(with_families(with_families(Policy(), first), then)) == then


@given(ANY_FAMILIES)
def test_at_the_machine_itself_everything_stays_allowed(wanted: frozenset[Family]) -> None:
    assert with_families(Policy(), wanted).allows("ml.train", Origin.LOCAL)


@given(ANY_FAMILIES)
def test_groups_get_nothing_by_a_tick(wanted: frozenset[Family]) -> None:
    assert with_families(with_families(Policy(), frozenset()), wanted).kinds[Origin.GROUP] == ()


def test_an_owners_finer_rules_stay_when_nothing_is_changed() -> None:
    mine = Policy(kinds={Origin.CHAT: ("ml.train", "data.*")}, send_files=(Origin.CHAT,))
    assert with_families(mine, allowed(mine)) == mine


def test_one_family_of_everything_is_taken_away() -> None:
    mine = Policy(kinds={Origin.CHAT: ("*",)})
    policy = with_families(mine, frozenset(Family) - {Family.ML})
    assert not policy.allows("ml.train", Origin.CHAT)
    assert policy.allows("data.describe", Origin.CHAT)


def test_without_sending_files_no_result_is_sent_either() -> None:
    policy = with_families(Policy(), frozenset({Family.DATA}))
    assert policy.send_files == (Origin.LOCAL,)
    assert Origin.CHAT in with_families(policy, frozenset(Family)).send_files
