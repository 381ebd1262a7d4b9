"""Plays the machine's games for a test and for the command."""

from __future__ import annotations

import io
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.protocol_machine.machine import ProtocolMachine

STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Games:
    """What came of a series of games."""

    tried: int
    faults: int
    failure: str
    """The shortest game that breaks a promise, as a program; empty when none does."""
    replay: str

    @property
    def line(self) -> str:
        kinds = {
            "lost": ("lacks", "acknowledged", "beginning", "not what was written"),
            "stuck": ("stuck",),
        }
        told = {name: int(any(w in self.failure for w in words)) for name, words in kinds.items()}
        doubled = int(bool(self.failure) and not any(told.values()))
        return (
            f"protocol  tried {self.tried} examples  faults {self.faults}"
            f"  lost {told['lost']}  doubled {doubled}  stuck {told['stuck']}"
        )


def play(examples: int, number: int, *, is_shrunk: bool = True) -> Games:
    """Play `examples` games, chosen by a seed; stop at the first that breaks a promise."""
    phases = (Phase.generate, Phase.shrink) if is_shrunk else (Phase.generate,)
    rules = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    ProtocolMachine.tried = ProtocolMachine.faults = 0
    failure = ""
    shown = io.StringIO()
    try:
        with redirect_stdout(shown):
            run_state_machine_as_test(seed(number)(ProtocolMachine), settings=rules)
    except Exception as error:
        failure = "".join(traceback.format_exception(error)) + "\n".join(
            getattr(error, "__notes__", ())
        )
    return Games(
        tried=ProtocolMachine.tried,
        faults=ProtocolMachine.faults,
        failure=failure,
        replay=f"python -m tests.protocol_machine --examples {examples} --seed {number}",
    )
