"""The deck of faults: each is one thing that happens to real programs, lines, clocks and stores.

Some last: those come with what ends them, and other faults fall into the meantime.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.chaos.lines import Way
from tests.chaos.machine import Clock, Machine
from tests.chaos.storm_world import World

End = Callable[[], None]
Fault = Callable[[World], End | None]
"""Happens at once; returns what ends it, if it lasts."""

WAYS = ((Way.UP,), (Way.DOWN,), (Way.UP, Way.DOWN))
STEPS = ("offer", "grant", "ack", "welcome", "events", "cancel")
"""Messages after which a line fails."""
JUMPS_DAYS = (3.0, -3.0, 3652.0, -3652.0)


def hub_killed(world: World) -> None:
    world.kill_hub()
    world.start_hub()


def hub_away(world: World) -> End:
    world.kill_hub()
    return world.start_hub


def hub_stands_still(world: World) -> End:
    assert world.hub is not None
    world.hub.stop()
    return world.hub.go_on


def hub_clock_jumps(world: World) -> None:
    _jump(world, world.clock)


def worker_killed(world: World) -> None:
    machine = world.pick_machine()
    machine.kill()
    machine.start()


def worker_away(world: World) -> End:
    machine = world.pick_machine()
    machine.kill()
    return machine.start


def worker_stands_still(world: World) -> End:
    program = world.pick_machine().program
    assert program is not None
    program.stop()
    return program.go_on


def worker_clock_jumps(world: World) -> None:
    _jump(world, world.pick_machine().clock)


def worker_restored(world: World) -> None:
    """The store is an older copy of itself; without one yet, one is made for later."""
    machine = world.pick_machine()
    copy = copy_of(world, machine)
    if copy.exists():
        machine.kill()
        machine.put_back(copy)
        machine.start()
        copy.unlink()
    else:
        machine.keep_copy(copy)


def child_killed(world: World) -> None:
    names = sorted(world.machines)
    world.random.shuffle(names)
    for name in names:
        if world.machines[name].kill_child(world.random.random()):
            return


def line_cut(world: World) -> None:
    world.pick_machine().line.cut()


def line_unplugged(world: World) -> End:
    line = world.pick_machine().line
    line.unplug()
    return line.mend


def line_keeps_back(world: World) -> End:
    """One-way loss as TCP shows it: nothing comes for a while, then everything in order."""
    line = world.pick_machine().line
    line.keep_back(*world.random.choice(WAYS))
    return line.mend


def line_leads_nowhere(world: World) -> None:
    """Half-open: both ends take the line for open, and nothing arrives any more."""
    world.pick_machine().line.lose(*world.random.choice(WAYS))


def line_torn_in_a_frame(world: World) -> None:
    world.pick_machine().line.cut_mid_frame(world.random.choice(tuple(Way)))


def line_fails_at_a_step(world: World) -> None:
    """Tied to the protocol: right after an offer, a grant, an acknowledgement … came down."""
    line = world.pick_machine().line
    message = world.random.choice(STEPS)
    match world.random.randrange(3):
        case 0:
            line.after(message, lose=Way.UP)
        case 1:
            line.after(message, lose=Way.DOWN)
        case _:
            line.cut_after(message)


def copy_of(world: World, machine: Machine) -> Path:
    """Where a machine's older copy lies."""
    return world.folder / f"{machine.name}.copy"


def _jump(world: World, clock: Clock) -> None:
    clock.jump(0.0 if clock.days else world.random.choice(JUMPS_DAYS))


DECK: tuple[Fault, ...] = (
    hub_killed, hub_killed, hub_killed,
    hub_away,
    hub_stands_still,
    hub_clock_jumps,
    worker_killed, worker_killed, worker_killed,
    worker_away,
    worker_stands_still,
    worker_clock_jumps,
    worker_restored,
    child_killed, child_killed, child_killed,
    line_cut, line_cut,
    line_unplugged,
    line_keeps_back,
    line_leads_nowhere,
    line_torn_in_a_frame,
    line_fails_at_a_step, line_fails_at_a_step, line_fails_at_a_step,
)  # fmt: skip
KILLS = frozenset({hub_killed, hub_away, worker_killed, worker_away, worker_restored, child_killed})
CLOCKS = frozenset({hub_clock_jumps, worker_clock_jumps})
