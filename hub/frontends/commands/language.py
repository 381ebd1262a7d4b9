"""Commands about language models: probes, their runs, and questions."""

from __future__ import annotations

import re

from hub.frontends.commands.command import Argument, Command, Shape

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

COMMANDS: tuple[Command, ...] = (
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
)
