"""The plain scenarios that a definition means: `vary`, `swap` and what they share worked in.

A template makes one scenario for each combination ("promise/3"), `swap` a second one with the
options in the other order ("promise/3/swapped"). All that comes of one entry is one cluster: its
answers are no independent evidence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from desktop.core.llm.definition import (
    SCENARIOS_MAX,
    TEXT_CHARS_MAX,
    Definition,
    OptionFields,
    SamplingFields,
    ScenarioFields,
    known_at,
)
from desktop.core.llm.definition_fault import place_of, wrong, wrong_at
from desktop.core.llm.types import Sampling
from shared.errors import LimitReached
from shared.kinds import JsonObject

CHARS_MAX = 64_000_000
"""Of all scenarios of a run together, after `vary`."""
LIST_OF_OPTIONS = "options"
"""{{options}} stands for the list of options."""
_PLACEHOLDER = re.compile(r"\{\{ ?([A-Za-z_][A-Za-z0-9_]{0,39}) ?\}\}")


class Option(BaseModel):
    """An answer that is offered; `label` is what the model replies with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    value: str
    text: str = ""


class Scenario(BaseModel):
    """One scenario as it is asked, complete in itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    cluster: str
    prompt: str
    followups: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    """In the order in which they are shown."""
    preamble: str = ""
    preamble_as: Literal["system", "user"] = "system"
    sampling: SamplingFields = SamplingFields()
    metadata: dict[str, JsonValue] = {}

    @property
    def sampler(self) -> Sampling:
        return Sampling(**{f.name: getattr(self.sampling, f.name) for f in fields(Sampling)})

    def with_seed(self, seed: int | None) -> Sampling:
        """Return the sampling with a run's seed, which stands behind the scenario's own."""
        own = self.sampler
        return own if own.seed is not None else replace(own, seed=seed)


def expand(definition: Definition) -> tuple[Scenario, ...]:
    """Make the scenarios of a definition, in its order.

    Raises:
        BadInput: `definition_wrong`.
        LimitReached: `definition_too_large`.
    """
    made: list[Scenario] = []
    ids: set[str] = set()
    chars = 0
    for number, entry in enumerate(definition.scenarios):
        place = place_of(("scenarios", number))
        for scenario in _of_entry(definition, entry, place):
            if scenario.id in ids:
                raise wrong_at(f"{place}.id", f"'{scenario.id}' stands twice; rename one of them")
            ids.add(scenario.id)
            made.append(scenario)
            chars += _chars(scenario)
            if len(made) > SCENARIOS_MAX:
                raise _too_large(f"it makes more than {SCENARIOS_MAX:,} scenarios")
            if chars > CHARS_MAX:
                raise _too_large(f"its scenarios have more than {CHARS_MAX:,} characters")
    return tuple(made)


def single(values: JsonObject) -> Scenario:
    """Read a scenario that stands alone, written as in a definition's list.

    Raises:
        BadInput: `definition_wrong`, also when it would make several.
    """
    try:
        entry = ScenarioFields.model_validate({"id": "scenario", **values})
    except ValidationError as error:
        raise wrong(error, lambda at: known_at(at, ScenarioFields)) from None
    made = expand(Definition(name=entry.id, scenarios=(entry,)))
    if len(made) > 1:
        raise wrong_at("it", "is several scenarios", "Leave out 'vary' and 'swap', or make a run.")
    return made[0]


def _of_entry(definition: Definition, entry: ScenarioFields, place: str) -> Iterator[Scenario]:
    is_swapped = definition.swap if entry.swap is None else entry.swap
    for name, variables in _variations(entry, place):
        given = definition.options if entry.options is None else entry.options
        filled = _Filled(entry, given, variables, place)
        options = filled.options(given)
        yield _scenario(definition, entry, filled, name, options)
        if is_swapped:
            yield _scenario(
                definition, entry, filled, f"{name}/swapped", _swapped(entry, options, place)
            )


def _variations(entry: ScenarioFields, place: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each scenario of an entry its id and its variables."""
    if entry.vary is None:
        yield entry.id, {}
        return
    vary = entry.vary
    if not vary.each and not vary.rows:
        raise wrong_at(f"{place}.vary", "is empty; name what varies, as in 'who: [a friend]'")
    if LIST_OF_OPTIONS in vary.each or any(LIST_OF_OPTIONS in row for row in vary.rows):
        raise wrong_at(f"{place}.vary", f"cannot vary '{LIST_OF_OPTIONS}'; use another name")
    rows: Iterator[dict[str, str]] = iter(vary.rows)
    if vary.each:
        rows = (
            dict(zip(vary.each, values, strict=True))
            for values in itertools.product(*vary.each.values())
        )
    for number, row in enumerate(rows, start=1):
        yield f"{entry.id}/{number}", row


class _Filled:
    """The texts of an entry with its variables put in."""

    def __init__(
        self,
        entry: ScenarioFields,
        options: tuple[OptionFields, ...],
        variables: Mapping[str, str],
        place: str,
    ) -> None:
        self.entry = entry
        self.variables = variables
        self._place = place
        texts = [entry.prompt, *entry.followups, entry.preamble or ""]
        for option in options:
            texts += [option.label, option.value, option.text]
        texts += [value for value in entry.metadata.values() if isinstance(value, str)]
        used = {name for text in texts for name in _PLACEHOLDER.findall(text)}
        for name in sorted(set(variables) - used):
            raise wrong_at(
                f"{place}.vary", f"has '{name}', which no text uses; write {{{{{name}}}}}"
            )

    def text(self, text: str, at: str, *, others: tuple[str, ...] = ()) -> str:
        def put(found: re.Match[str]) -> str:
            name = found[1]
            if name in others:
                return found[0]
            if name not in self.variables:
                raise wrong_at(
                    f"{self._place}.{at}",
                    f"has {{{{{name}}}}}, which nothing fills in; name it under 'vary'",
                )
            return self.variables[name]

        made = _PLACEHOLDER.sub(put, text)
        if len(made) > TEXT_CHARS_MAX:
            raise wrong_at(f"{self._place}.{at}", "gets too long with what 'vary' puts in")
        return made

    def options(self, given: tuple[OptionFields, ...]) -> tuple[Option, ...]:
        made = tuple(
            Option(
                label=self.text(option.label, "options"),
                value=self.text(option.value, "options"),
                text=self.text(option.text, "options"),
            )
            for option in given
        )
        if len({option.label.casefold() for option in made}) < len(made):
            raise wrong_at(f"{self._place}.options", "get the same label twice by 'vary'")
        return made

    def metadata(self) -> dict[str, JsonValue]:
        told: dict[str, JsonValue] = {
            name: self.text(value, "metadata") if isinstance(value, str) else value
            for name, value in self.entry.metadata.items()
        }
        return told | ({"vary": dict(self.variables)} if self.variables else {})


def _scenario(
    definition: Definition,
    entry: ScenarioFields,
    filled: _Filled,
    name: str,
    options: tuple[Option, ...],
) -> Scenario:
    preamble = (
        definition.preamble if entry.preamble is None else filled.text(entry.preamble, "preamble")
    )
    return Scenario(
        id=name,
        cluster=entry.cluster or entry.id,
        prompt=_shown(filled.text(entry.prompt, "prompt", others=(LIST_OF_OPTIONS,)), options),
        followups=tuple(
            filled.text(text, f"followups[{number}]") for number, text in enumerate(entry.followups)
        ),
        options=options,
        preamble=preamble,
        preamble_as=entry.preamble_as or definition.preamble_as,
        sampling=_merged(definition.sampling, entry.sampling),
        metadata=filled.metadata(),
    )


def _shown(prompt: str, options: tuple[Option, ...]) -> str:
    """Put the list of options where the prompt wants it, else below it if they have texts."""
    listed = "\n".join(f"{o.label}: {o.text}" if o.text else f"- {o.label}" for o in options)
    mark = f"{{{{{LIST_OF_OPTIONS}}}}}"
    if mark in prompt:
        return prompt.replace(mark, listed)
    if any(option.text for option in options):
        return f"{prompt.rstrip()}\n\n{listed}"
    return prompt


def _swapped(entry: ScenarioFields, options: tuple[Option, ...], place: str) -> tuple[Option, ...]:
    """Turn the options round: with texts the labels stay where they are and stand for others."""
    has_texts = any(option.text for option in options)
    if not options or not (has_texts or f"{{{{{LIST_OF_OPTIONS}}}}}" in entry.prompt):
        raise wrong_at(
            f"{place}.swap",
            "needs options that are shown as a list",
            "Give the options a text, or write {{options}} into the prompt.",
        )
    if not has_texts:
        return options[::-1]
    labels = [option.label for option in options]
    return tuple(
        option.model_copy(update={"label": label})
        for label, option in zip(labels, options[::-1], strict=True)
    )


def _merged(common: SamplingFields, own: SamplingFields | None) -> SamplingFields:
    if own is None:
        return common
    return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _chars(scenario: Scenario) -> int:
    return (
        len(scenario.prompt)
        + sum(map(len, scenario.followups))
        + len(scenario.preamble)
        + sum(len(option.label) + len(option.text) for option in scenario.options)
        + len(str(scenario.metadata))
    )


def _too_large(what: str) -> LimitReached:
    return LimitReached(
        "definition_too_large",
        f"The definition is too large: {what}.",
        "Split it into several runs, or let less of it vary.",
    )
