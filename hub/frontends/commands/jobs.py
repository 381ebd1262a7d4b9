"""Commands about jobs, whatever they do: look, stop, repeat, go on, answer."""

from __future__ import annotations

import re

from hub.frontends.commands.command import Argument, Command, Shape

_ID = Argument(name="id", summary="the four characters after #", required=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="send",
        summary="Send a file of your computer into this chat",
        arguments=(
            Argument(
                name="file", summary="a file in an allowed folder; #K7Q2: the one that job wrote"
            ),
        ),
        example="/send sales.predictions.csv",
        kind="files.send",
    ),
    Command(name="jobs", summary="What runs, waits and has run"),
    Command(name="job", summary="One job with its history", arguments=(_ID,), example="/job K7Q2"),
    Command(name="cancel", summary="Stop a job", arguments=(_ID,), example="/cancel K7Q2"),
    Command(
        name="retry", summary="Run a failed job again", arguments=(_ID,), example="/retry K7Q2"
    ),
    Command(
        name="move",
        summary="Let another computer run a waiting job",
        arguments=(_ID, Argument(name="name", summary="the computer's name", required=True)),
        example="/move K7Q2 studio-mac",
        in_menu=False,
    ),
    Command(name="dead", summary="Jobs that ran out of tries"),
    Command(
        name="task",
        summary="Say in your own words what you want",
        arguments=(
            Argument(
                name="local",
                summary="use no language model that is not on your own machine",
                shape=Shape.FLAG,
                choices=("local",),
                looks_like=re.compile(r"(?i)local:?"),
                is_exact=True,
            ),
            Argument(name="text", summary="what is to be done", shape=Shape.REST, required=True),
        ),
        example="/task summarize the report in Documents/acme",
    ),
    Command(
        name="continue",
        summary="Go on where a job was, on the same computer",
        arguments=(
            Argument(
                name="job",
                summary="#K7Q2, or the newest",
                looks_like=re.compile(r"#[0-9A-Za-z-]{4,36}"),
                is_exact=True,
            ),
            Argument(
                name="command",
                summary="what to do there, as in /predict new.csv; else what is open goes on",
                shape=Shape.REST,
            ),
        ),
        example="/continue #K7Q2 /predict churn new.csv",
    ),
    Command(
        name="answer",
        summary="Answer a question; buttons say this",
        arguments=(_ID, Argument(name="value", shape=Shape.REST, required=True)),
        in_menu=False,
    ),
)
