"""Commands about tables and the models that are trained on them."""

from __future__ import annotations

import re

from hub.frontends.commands.command import Argument, Command, Shape

_FILE = Argument(
    name="file",
    summary="a file in an allowed folder, by name or path",
    looks_like=re.compile(r"(?i).*\.(csv|tsv|txt|xlsx|xls|parquet)"),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="train",
        summary="Train a model on a table",
        arguments=(
            _FILE,
            Argument(name="target", summary="the column to predict"),
            Argument(
                name="budget",
                summary="how long it may take: 60, 10m, 1h",
                shape=Shape.DURATION,
                named_only=True,
                input="budget_seconds",
            ),
            Argument(name="name", summary="what to call the model", named_only=True),
        ),
        example="/train sales.csv Revenue budget=5m",
        kind="ml.train",
    ),
    Command(
        name="predict",
        summary="Predict the rows of a file with a trained model",
        arguments=(Argument(name="model", summary="a model's name or number"), _FILE),
        example="/predict churn new.csv",
        kind="ml.predict",
    ),
    Command(
        name="describe",
        summary="Say what is in a table: columns, gaps, trouble",
        arguments=(_FILE,),
        example='/describe "sales 2025.xlsx"',
        kind="data.describe",
    ),
    Command(
        name="head",
        summary="Show the first rows of a table",
        arguments=(_FILE,),
        example="/head sales.csv",
        kind="files.head",
        in_menu=False,
    ),
    Command(name="models", summary="List the trained models", kind="ml.models"),
    Command(
        name="model",
        summary="Look at one model, or get its plots",
        arguments=(
            Argument(name="model", summary="its name, or its number in /models"),
            Argument(
                name="plot",
                shape=Shape.FLAG,
                choices=("plot",),
                looks_like=re.compile(r"(?i)plots?"),
            ),
        ),
        example="/model 3 plot",
        kind="ml.model",
    ),
)
