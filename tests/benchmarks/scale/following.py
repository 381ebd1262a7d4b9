"""Who watches: a hundred streams of events, and the progress of jobs on an open page."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

from hub.frontends.sse import STREAMS_PER_PERSON_MAX
from tests.benchmarks.footprint import free_port
from tests.benchmarks.report import OURS, Figure, Part
from tests.benchmarks.scale.idle import LIMIT
from tests.benchmarks.scale.sizes import Sizes
from tests.benchmarks.scale.stores import sign_in
from tests.benchmarks.scale.world import PATIENCE_SECONDS, Program, Told, World, a_program, a_world

CALLERS = 64
WORKERS_EACH = 10
GOAL_P99_MS = 20.0
NOTE_BYTES = 240
BARE = "uvicorn with bare streams: no log, no store, no person"
QUIET_SECONDS = 1.0

Wanted = list[tuple[str, dict[str, str]]]


def measure_followers(part: Part, sizes: Sizes) -> None:
    """Have jobs done while many read `/api/v1/events`; the bare server sends as much."""
    people = -(-sizes.followers // STREAMS_PER_PERSON_MAX)
    copies = sizes.followers / people
    rate = part.figure(f"{sizes.followers} followers: events delivered", "1/s")
    cpu = part.figure("CPU of the hub for an event delivered", "µs", better="less")
    late = part.figure(
        f"{sizes.followers} followers, one job at a time: delay of an event, p99", "ms",
        better="less",
    )  # fmt: skip
    with a_world(people, WORKERS_EACH) as world, ExitStack() as held:
        world.start_workers()
        world.hub.ask(f"jobs {sizes.followed_jobs // 5} {CALLERS}")
        alone = world.hub.ask(f"jobs {sizes.followed_jobs} {CALLERS}")
        readers = [world.members[n % people].key for n in range(sizes.followers)]
        wanted: Wanted = [("/api/v1/events", {"Authorization": f"Bearer {key}"}) for key in readers]
        followers = _follow(held, world, world.port, wanted)
        done, heard = _jobs_heard(world, followers, sizes.followed_jobs, CALLERS, copies)
        more = done["cpu_seconds"] - alone["cpu_seconds"]
        rate.add(OURS, heard["events"] / done["seconds"])
        cpu.add(OURS, max(0.0, more) / heard["events"] * 1e6)
        rate.why = (
            f"{done['events']:,} events of {sizes.followed_jobs} jobs of {people} people, as fast"
            f" as they go; each is told what concerns its person ({heard['bytes_mean']:.0f} bytes"
            f" an event). Without followers the same jobs took"
            f" {alone['seconds'] / done['seconds']:.2f} x as long."
        )
        cpu.why = "What the jobs cost more with followers than without."
        calm, heard = _jobs_heard(world, followers, sizes.followed_jobs // 5, 1, copies)
        late.add(OURS, heard["p99_ms"])
        late.why = (
            f"From the time that an event names, which is before its commit, to its arrival; p50"
            f" {heard['p50_ms']:.1f} ms, {calm['events'] / calm['seconds']:.0f} events/s."
        )
        late.add(LIMIT, _floor_p99(world, sizes.followers, calm), stands=BARE)


def _jobs_heard(
    world: World, followers: Program, jobs: int, callers: int, copies: float
) -> tuple[Told, Told]:
    """Have jobs done; return what the hub and what the followers say, once all have heard all."""
    followers.ask("tell")
    done = world.hub.ask(f"jobs {jobs} {callers}")
    return done, _heard(followers, int(done["events"] * copies))


def _floor_p99(world: World, streams: int, calm: Told) -> float:
    """The bare server tells as many streams as many notes, at the rate at which ours did; ms."""
    with ExitStack() as held:
        floor, port = _floor(held, world)
        followers = _follow(held, world, port, [("/", {})] * streams)
        floor.ask(f"say {calm['events']} {calm['events'] / calm['seconds']} {NOTE_BYTES}")
        return float(_heard(followers, calm["events"] * streams)["p99_ms"])


def measure_progress(part: Part, sizes: Sizes) -> None:
    """Have one worker tell the progress of many jobs, with one page open."""
    name = f"progress worker → browser at {sizes.progress_rate:,.0f} messages/s"
    goal = f"at most {GOAL_P99_MS:.0f} ms"
    late = part.figure(f"{name}: p99", "ms", better="less", goal=goal)
    middle = part.figure(f"{name}: p50", "ms", better="less")
    cpu = part.figure("CPU of the hub for a progress message", "µs", better="less")
    arrived = part.figure("progress messages that reached the page", "%")
    jobs, order = sizes.progress_jobs, f"progress {sizes.progress_rate} {sizes.progress_seconds}"
    with a_world(1, 1, slots=jobs) as world, ExitStack() as held:
        world.start_workers()
        world.say_to_workers("hold")
        world.hub.ask(f"ask {jobs} {CALLERS}")
        world.workers.until(lambda told: told["holding"] == jobs)
        cookie = sign_in(world.folder / "hub", world.port)
        page = _follow(held, world, world.port, [("/live", {"Cookie": cookie})])
        time.sleep(QUIET_SECONDS)
        page.ask("tell")
        used = world.usage().cpu_seconds
        world.say_to_workers(order)
        sent = int(sizes.progress_rate * sizes.progress_seconds)
        _until_sent(world, sent)
        used = world.usage().cpu_seconds - used
        time.sleep(QUIET_SECONDS)
        heard = page.ask("tell")
        _add(late, middle, OURS, heard)
        cpu.add(OURS, used / sent * 1e6)
        arrived.add(OURS, heard["events"] / sent * 100)
        floor, port = _floor(held, world)
        bare = _follow(held, world, port, [("/", {})])
        callers = held.enter_context(
            a_program(
                "tests.benchmarks.scale.callers", f"ws://127.0.0.1:{port}/", "0",
                errors=world.folder / "floor.log",
            )
        )  # fmt: skip
        callers.ask("open 1")
        bare.ask("tell")
        used = floor.ask("usage")["cpu_seconds"]
        sent = callers.ask(order)["sent"]
        used = floor.ask("usage")["cpu_seconds"] - used
        time.sleep(QUIET_SECONDS)
        heard = bare.ask("tell")
        _add(late, middle, LIMIT, heard)
        cpu.add(LIMIT, used / sent * 1e6, stands=BARE)
        arrived.add(LIMIT, heard["events"] / sent * 100)
    is_met = late.median() <= GOAL_P99_MS
    late.judge(
        is_met,
        f"One worker, {jobs} jobs in turn, one page (`/live`), wall clock of one machine. The"
        " product's own worker tells of a job once a second at most, and a page whose line is full"
        " is sent the newest of each job only; what is measured is what arrived.",
    )


def _add(late: Figure, middle: Figure, subject: str, heard: Told) -> None:
    late.add(subject, heard["p99_ms"], stands="" if subject == OURS else BARE)
    middle.add(subject, heard["p50_ms"], stands="" if subject == OURS else BARE)


def _follow(held: ExitStack, world: World, port: int, wanted: Wanted) -> Program:
    file = world.folder / f"wanted-{port}.json"
    file.write_text(json.dumps(wanted))
    told = ("tests.benchmarks.scale.followers", str(port), str(file))
    followers = held.enter_context(a_program(*told, errors=world.folder / "followers.log"))
    followers.next()
    return followers


def _floor(held: ExitStack, world: World) -> tuple[Program, int]:
    port = free_port()
    told = ("tests.benchmarks.scale.floor", str(port), "uvicorn")
    floor = held.enter_context(a_program(*told, errors=world.folder / "floor.log"))
    floor.next()
    return floor, port


def _heard(followers: Program, count: int) -> Told:
    """Wait until so many events have arrived, and say what is known of all of them."""
    until = time.monotonic() + PATIENCE_SECONDS
    while followers.ask("count")["events"] < count:
        if time.monotonic() > until:
            raise SystemExit("not all events have arrived")
        time.sleep(QUIET_SECONDS / 10)
    return followers.ask("tell")


def _until_sent(world: World, count: int) -> None:
    while world.ask_workers()[0]["progress_sent"] < count:
        time.sleep(QUIET_SECONDS / 10)
