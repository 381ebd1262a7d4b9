"""The table of permissions: one box changes one thing, and the finer rules of the file stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.families import Family
from desktop.core.permissions import (
    Permission,
    others,
    permission,
    with_permission,
    with_sending,
)
from desktop.core.policy import Policy
from shared.jobs import Origin

PATTERNS = st.sampled_from(
    ("*", "ml.*", "ml.train", "data.*", "files.head", "machine.*", "code.*", "code.bugfix")
)
POLICIES = st.dictionaries(st.sampled_from(Origin), st.lists(PATTERNS, unique=True).map(tuple)).map(
    lambda kinds: Policy(kinds=kinds)
)


@pytest.mark.parametrize(
    ("patterns", "told"),
    [
        (("*",), Permission.ALL),
        (("ml.*",), Permission.ALL),
        (("ml.train",), Permission.SOME),
        (("data.*", "mlx.*"), Permission.NONE),
        ((), Permission.NONE),
    ],
)
def test_a_box_tells_all_some_or_none(patterns: tuple[str, ...], told: Permission) -> None:
    policy = Policy(kinds={Origin.CHAT: patterns})
    assert permission(policy, Family.ML, Origin.CHAT) is told


@given(POLICIES, st.sampled_from(Family), st.sampled_from(Origin), st.booleans())
def test_one_box_changes_one_family_for_one_origin(
    policy: Policy, family: Family, origin: Origin, is_allowed: bool
) -> None:
    changed = with_permission(policy, family, origin, is_allowed=is_allowed)
    wanted = Permission.ALL if is_allowed else Permission.NONE
    assert permission(changed, family, origin) is wanted
    for other in Family:
        for whose in Origin:
            if (other, whose) != (family, origin):
                assert permission(changed, other, whose) is permission(policy, other, whose)


def test_what_everything_allowed_beyond_the_table_is_not_kept_by_a_single_box() -> None:
    """`*` minus one family is the others of the table: kinds to come are not allowed unasked."""
    changed = with_permission(
        Policy(kinds={Origin.LOCAL: ("*",)}), Family.ML, Origin.LOCAL, is_allowed=False
    )
    assert not changed.allows("music.play", Origin.LOCAL)
    assert changed.allows("data.describe", Origin.LOCAL)


def test_rules_for_single_kinds_are_told_and_stay() -> None:
    policy = Policy(kinds={Origin.GROUP: ("music.*", "data.describe")})
    changed = with_permission(policy, Family.ML, Origin.GROUP, is_allowed=True)
    assert others(changed) == ((Origin.GROUP, "music.*"), (Origin.GROUP, "data.describe"))


@given(st.sets(st.sampled_from(Origin)), st.sampled_from(Origin), st.booleans())
def test_sending_is_switched_for_one_origin(
    before: set[Origin], origin: Origin, is_allowed: bool
) -> None:
    changed = with_sending(Policy(send_files=tuple(before)), origin, is_allowed=is_allowed)
    assert (origin in changed.send_files) is is_allowed
    assert set(changed.send_files) - {origin} == before - {origin}
