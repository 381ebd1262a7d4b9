"""Which members are tried, and in which order: the figures come from `make bench-ml`."""

from __future__ import annotations

from desktop.jobs.ml.members import Linear, Recipe
from desktop.jobs.ml.tree_members import Boosting, Forest

QUICK = Boosting(
    name="first",
    weight=1.0,
    learning_rate=0.1,
    leaves=16,
    features_share=0.5,
    penalty=1.0,
    leaf_rows_min=20,
    trees_max=60,
    patience=10,
)
SMALL = Boosting(
    name="boosting-small",
    weight=2.0,
    learning_rate=0.07,
    leaves=8,
    features_share=0.25,
    penalty=10.0,
    leaf_rows_min=20,
    trees_max=500,
    patience=30,
    rows_max=30_000,
)
MIDDLE = Boosting(
    name="boosting",
    weight=5.0,
    learning_rate=0.06,
    leaves=63,
    features_share=0.5,
    penalty=1.0,
    leaf_rows_min=20,
    trees_max=600,
    patience=25,
)
LARGE = Boosting(
    name="boosting-large",
    weight=8.0,
    learning_rate=0.06,
    leaves=127,
    features_share=0.3,
    penalty=5.0,
    leaf_rows_min=10,
    trees_max=600,
    patience=25,
    only_if_better=(SMALL.name, MIDDLE.name),
)

FIRST: tuple[Recipe, ...] = (QUICK, Linear())
"""What the first quick answer is made of."""
RECIPES: tuple[Recipe, ...] = (Linear(), MIDDLE, SMALL, Forest(), LARGE)
"""The plan. What the budget does not reach is left out, so the most promising come first."""
