"""One command table for every frontend: names, arguments, help, and who may.

Chat menus, `/help` and the parsing of what people type (`parsing`) come from this table. What a
command does is the inbox's part; a command that names a kind simply makes a job of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Who(StrEnum):
    ANYONE = "anyone"
    """Also somebody the hub does not know."""
    PERSON = "person"
    """Somebody with an account here."""


class Shape(StrEnum):
    """What an argument looks like."""

    WORD = "word"
    """One word, or several in quotes."""
    REST = "rest"
    """All that is left, quotes and all."""
    DURATION = "duration"
    """90, 90s, 10m or 1h; becomes seconds."""
    FLAG = "flag"
    """The argument's own name, said or not; becomes true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    name: str
    summary: str = ""
    shape: Shape = Shape.WORD
    required: bool = False
    choices: tuple[str, ...] = ()
    named_only: bool = False
    """Only as name=value, never by place."""
    input: str = ""
    """The kind's input it fills; the argument's own name when empty."""
    looks_like: re.Pattern[str] | None = None
    """A word of this look goes here even when an earlier place is still free."""
    is_exact: bool = False
    """Only a word of that look goes here; any other belongs to the next place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    summary: str
    """One line, for menus."""
    arguments: tuple[Argument, ...] = ()
    example: str = ""
    who: Who = Who.PERSON
    kind: str = ""
    """The kind of job it makes; empty when the hub answers by itself."""
    in_menu: bool = True

    @property
    def usage(self) -> str:
        """How to type it: "/train [FILE] [TARGET] [budget=…]"."""
        return " ".join((f"/{self.name}", *(_usage(a) for a in self.arguments)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A command as somebody said it."""

    command: Command
    values: Mapping[str, str] = field(default_factory=dict)
    """By argument name; what was left out is missing."""
    worker: str = ""
    """The machine pinned by @name; empty when none was."""


_FILE = Argument(
    name="file",
    summary="a file in an allowed folder, by name or path",
    looks_like=re.compile(r"(?i).*\.(csv|tsv|txt|xlsx|xls|parquet)"),
)
_DEFINITION = Argument(
    name="file",
    summary="a definition file (YAML or JSON) in an allowed folder",
    input="definition",
    looks_like=re.compile(r"(?i).*\.(ya?ml|json)"),
)
_ASKED_FILE = Argument(
    name="file",
    summary="a text file in an allowed folder",
    looks_like=re.compile(
        r"""(?i)["']?.*\.(txt|md|rst|csv|tsv|json|ya?ml|log|html?|xml|py)["']?"""
    ),
    is_exact=True,
)
_RUN = Argument(name="run", summary="its number in /runs, or the four characters after #")
_ID = Argument(name="id", summary="the four characters after #", required=True)

_REQUEST = Argument(name="id", summary="who waits, as told", required=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="start",
        summary="What this is, and what to do first",
        who=Who.ANYONE,
        arguments=(Argument(name="code", summary="an invitation"),),
    ),
    Command(
        name="help",
        summary="All commands, or one in detail",
        who=Who.ANYONE,
        arguments=(Argument(name="command"),),
        example="/help train",
    ),
    Command(name="connect", summary="Get a code that pairs a computer"),
    Command(name="web", summary="Get a link to your dashboard in a browser"),
    Command(
        name="pair",
        summary="Connect the computer that shows a code",
        arguments=(Argument(name="code", summary="what it shows", required=True),),
        example="/pair WDJB-MJHT",
    ),
    Command(
        name="approve",
        summary="Let a computer or a person in; buttons say this",
        arguments=(_REQUEST,),
        example="/approve K7Q2",
        in_menu=False,
    ),
    Command(
        name="reject",
        summary="Turn a computer or a person away; buttons say this",
        arguments=(_REQUEST,),
        example="/reject K7Q2",
        in_menu=False,
    ),
    Command(
        name="unlink",
        summary="Let a chat account speak for you no more; buttons say this",
        arguments=(
            Argument(name="frontend", required=True),
            Argument(name="account", required=True),
        ),
        example="/unlink telegram 4711",
        in_menu=False,
    ),
    Command(
        name="disconnect",
        summary="Disconnect a computer, or this chat",
        arguments=(
            Argument(name="name", summary="a computer's name, or: chat"),
            Argument(name="sure", choices=("yes",)),
        ),
        example="/disconnect studio-mac",
    ),
    Command(name="lock", summary="Stop everything and let no chat start anything"),
    Command(name="workers", summary="Your computers and how they are"),
    Command(
        name="worker",
        summary="Look at one computer; pause, revoke, start at login",
        arguments=(
            Argument(name="name", required=True),
            Argument(name="action", choices=("pause", "resume", "revoke", "autostart")),
            Argument(name="switch", summary="of autostart", choices=("on", "off", "status")),
        ),
        example="/worker anna-pc pause",
    ),
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
    Command(
        name="probe",
        summary="Put the scenarios of a file to language models",
        arguments=(
            _DEFINITION,
            Argument(
                name="models",
                summary="with commas between them, as in openai:gpt-5-mini",
                looks_like=re.compile(r"[\w.-]+:[^\\/\s]\S*"),
            ),
            Argument(
                name="repeats", summary="how often each model gets each scenario", named_only=True
            ),
            Argument(
                name="scenarios",
                summary="only so many, the first ones",
                named_only=True,
                input="scenarios_max",
            ),
            Argument(name="seed", summary="passed to the models", named_only=True),
            Argument(
                name="cost",
                summary="US dollars; it asks before it costs more",
                named_only=True,
                input="cost_usd_max",
            ),
            Argument(
                name="again",
                summary="go on with a run: only what has no answer is asked",
                named_only=True,
            ),
        ),
        example="/probe dilemmas.yaml openai:gpt-5-mini,local:tiny repeats=5",
        kind="llm.run",
    ),
    Command(name="runs", summary="List the runs of probes", kind="llm.runs"),
    Command(
        name="stats",
        summary="Statistics of a run, with plots",
        arguments=(_RUN,),
        example="/stats 1",
        kind="llm.stats",
        in_menu=False,
    ),
    Command(
        name="transcript",
        summary="Show what was said in one probe of a run",
        arguments=(_RUN, Argument(name="index", summary="which probe, from 0")),
        example="/transcript 1 17",
        kind="llm.transcript",
        in_menu=False,
    ),
    Command(
        name="ask",
        summary="Ask a language model, also about a file",
        arguments=(
            Argument(
                name="task",
                summary="analyze, summarize, extract or reason",
                choices=("analyze", "summarize", "extract", "reason"),
                looks_like=re.compile(r"(?i)analyze|summarize|extract|reason"),
                is_exact=True,
            ),
            _ASKED_FILE,
            Argument(
                name="text",
                summary="what you want to know, or what is to be extracted",
                shape=Shape.REST,
                input="question",
            ),
            Argument(name="model", summary="as in local:tiny", named_only=True),
        ),
        example="/ask summarize minutes.txt",
        kind="llm.ask",
    ),
    Command(
        name="health",
        summary="Whether language models can be asked from a computer",
        kind="llm.health",
        in_menu=False,
    ),
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
        arguments=(Argument(name="text", shape=Shape.REST, required=True),),
        example="/task summarize the report in Documents/acme",
        # A menu promises; nothing can plan from plain words yet.
        in_menu=False,
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

BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}


def _usage(argument: Argument) -> str:
    if argument.named_only:
        text = f"{argument.name}=…"
    elif argument.choices:
        text = "|".join(argument.choices)
    else:
        text = argument.name.upper()
    return text if argument.required else f"[{text}]"
