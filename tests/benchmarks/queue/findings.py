"""What the queue's benchmark found: its figures, and what they are judged by."""

from __future__ import annotations

from tests.benchmarks.queue.ours import Costed
from tests.benchmarks.queue.peers import CELERY, TASKIQ, Peer
from tests.benchmarks.queue.systems import Run
from tests.benchmarks.report import OURS, Figure, Growth, Part, number

LIMIT = "limit"
ABOUT = """\
A job that does nothing is asked for, granted, started and ended, and its result is committed. A
queue is a broker (ours: the hub), one worker process and one producer process, all new in every
round. 64 callers are 64 threads or tasks of the producer, each of which waits for its
acknowledgement before it asks again; jobs/s is from the first request until the last job is done.
Ours is asked by REST with a key over connections that are kept: authenticated, validated, audited;
a job is done when its result is committed on the worker's disk and on the hub's. A peer's job is
done when its function returns, and its result is not kept."""
STANDS = "exactly-once effects, fsync before every ack on hub and worker"
FASTEST_TIMES, CELERY_TIMES, PER_SECOND = 5.0, 10.0, 5000.0
WEAKER_TIMES = 3.0
CPU_US = 120.0
START_FSYNCS, START_MORE_MS, START_P99_MS = 2, 1.0, 10.0
EXPONENT = 1.05


class Findings:
    """Figures that grow round by round."""

    def __init__(self) -> None:
        self.part = Part("queue", "Queue: durable jobs", ABOUT)
        new = self.part.figure
        self.many = new(
            "durable jobs, 64 callers",
            "1/s",
            goal=f"at least {FASTEST_TIMES:.0f} × the fastest that delivers at least once,"
            f" {CELERY_TIMES:.0f} × Celery, {PER_SECOND:,.0f}/s",
        )
        self.weaker = new(
            "durable jobs, 64 callers, peers' log synced once a second",
            "1/s",
            goal=f"at least {WEAKER_TIMES:.0f} × taskiq",
        )
        self.one = new(
            "durable jobs, one caller at a time",
            "1/s",
            goal="not slower than the best that delivers at least once",
        )
        self.start_p50 = new(
            "request to start, 50 jobs/s, p50",
            "ms",
            better="less",
            goal=f"at most {START_FSYNCS} fsyncs + {START_MORE_MS:.0f} ms",
        )
        self.start_p99 = new(
            "request to start, 50 jobs/s, p99",
            "ms",
            better="less",
            goal=f"at most {START_P99_MS:.0f} ms",
        )
        self.cpu = new(
            "hub CPU a job, 64 callers, all messages",
            "µs",
            better="less",
            goal=f"at most {CPU_US:.0f} µs",
        )
        self.loop_cpu = new("of it, on the event loop's thread", "µs", better="less")
        self.bare_http = new("the same requests, a bare server (uvicorn)", "µs", better="less")
        self.bare_rows = new("the same rows, plain SQLite, 64 jobs a commit", "µs", better="less")
        self.one_cpu = new("hub CPU a job, one caller at a time", "µs", better="less")
        self.inside = new("durable jobs, 64 callers, without HTTP", "1/s")
        self.inside_cpu = new("hub CPU a job, without HTTP", "µs", better="less")
        self.thousand = new("durable jobs, 1,000 callers", "1/s")
        self.fsync = new("fsync of 4 KiB, p50", "ms", better="less")
        self.round_trip = new("loopback round trip, p50", "ms", better="less")
        self._at_least_once: list[str] = []
        self._grown: dict[int, list[float]] = {}

    def limits(self, fsync_ms: float, round_trip_ms: float) -> None:
        """Note the best that this machine could do, now."""
        self.fsync.add(LIMIT, fsync_ms)
        self.round_trip.add(LIMIT, round_trip_ms)
        least = "1 fsync + 1 round trip a job"
        self.one.add(LIMIT, 1e3 / (fsync_ms + round_trip_ms), stands=least)
        least = "1 fsync + 2 round trips"
        self.start_p50.add(LIMIT, fsync_ms + 2 * round_trip_ms, stands=least)

    def least(self, http_us: float, rows_us: float) -> None:
        """Note what the same requests and the same rows cost with nothing else done."""
        self.bare_http.add(LIMIT, http_us)
        self.bare_rows.add(LIMIT, rows_us)
        least = "the two below: no key, no checks, no decisions, no worker"
        self.cpu.add(LIMIT, http_us + rows_us, stands=least)

    def promised(self, peers: list[Peer]) -> None:
        """Note who may be compared: what delivers at most once has less to write."""
        self._at_least_once = [peer.name for peer in peers if peer.is_at_least_once]

    def latency(self, name: str, waits_ms: list[float]) -> None:
        """Add what a round found; `waits_ms`: the shortest first."""
        self.start_p50.add(name, waits_ms[len(waits_ms) // 2])
        self.start_p99.add(name, waits_ms[int(len(waits_ms) * 0.99)])

    def ours(self, rest: Costed, inside: Costed) -> None:
        """Add a round of 64 callers."""
        self.many.add(OURS, rest.run.per_second, stands=STANDS)
        self.weaker.add(OURS, rest.run.per_second, stands="fsync before every ack all the same")
        self.cpu.add(OURS, rest.cpu_us)
        self.loop_cpu.add(OURS, rest.loop_cpu_us)
        self.inside.add(OURS, inside.run.per_second)
        self.inside_cpu.add(OURS, inside.cpu_us)

    def ours_alone(self, rest: Costed) -> None:
        """Add a round of one caller."""
        self.one.add(OURS, rest.run.per_second, stands=STANDS)
        self.one_cpu.add(OURS, rest.cpu_us)

    def many_callers(self, run: Run) -> None:
        self.thousand.add(OURS, run.per_second)

    def grown(self, jobs: int, cpu_seconds: float) -> None:
        """Note what a whole run of so many jobs cost the hub; the least of its rounds is kept."""
        self._grown.setdefault(jobs, []).append(cpu_seconds)
        sizes = sorted(self._grown)
        if len(sizes) > 1:
            costs = [min(self._grown[size]) for size in sizes]
            told = "hub CPU of a whole run, 64 callers, by jobs"
            self.part.growths = [Growth(told, [float(s) for s in sizes], costs, "s", EXPONENT)]

    def judge(self) -> None:
        """Say of every goal whether it is met, as far as it was measured."""
        if not self.many.samples.get(OURS):
            return
        self._judge_many()
        self._judge_weaker()
        self._judge_one()
        self._judge_start()
        cpu, inside = self.cpu.median(), self.inside_cpu.median()
        told = f"HTTP has {number(cpu - inside)} µs of {number(cpu)} µs, the rest of the loop's"
        told += f" thread {number(self.loop_cpu.median() - (cpu - inside))} µs, the store's thread"
        told += f" {number(cpu - self.loop_cpu.median())} µs."
        if self.cpu.samples.get(LIMIT):
            least = self.cpu.median(LIMIT)
            told += f" The same requests and rows with nothing else done take {number(least)} µs."
        self.cpu.judge(cpu <= CPU_US, told)

    def _judge_many(self) -> None:
        best, celery = self._best(self.many), self.many.ratio(CELERY.name)
        ours = self.many.median()
        if best is None or celery is None:
            self.many.why = f"{_NOT_ALL} {number(ours)}/s."
            return
        name, times = best
        is_met = times >= FASTEST_TIMES and celery >= CELERY_TIMES and ours >= PER_SECOND
        told = f"{number(times)} × {name}, {number(celery)} × Celery, {number(ours)}/s."
        told += self._less_promised(self.many)
        self.many.judge(is_met, told + _cause(self.cpu.median()))

    def _judge_weaker(self) -> None:
        times = self.weaker.ratio(TASKIQ.name)
        if times is None:
            self.weaker.why = "Taskiq was not measured."
            return
        told = "The hub has no setting that syncs less: it is the figure above, at full durability."
        self.weaker.judge(times >= WEAKER_TIMES, f"{number(times)} × taskiq. {told}")

    def _judge_one(self) -> None:
        best = self._best(self.one)
        if best is None:
            self.one.why = _NOT_ALL
            return
        name, times = best
        told = f"{number(times)} × {name}." + self._less_promised(self.one)
        self.one.judge(times >= 1, told)

    def _judge_start(self) -> None:
        if not self.start_p50.samples.get(OURS):
            return
        allowed = START_FSYNCS * self.fsync.median(LIMIT) + START_MORE_MS
        told = f"allowed are {number(allowed)} ms; two commits come before a start, each with a"
        told += " process that wakes for it: the request with its grant, and the worker's own note"
        self.start_p50.judge(self.start_p50.median() <= allowed, told)
        most = max(self.start_p99.samples[OURS].values)
        told = f"the worst of its rounds took {number(most)} ms"
        self.start_p99.judge(self.start_p99.median() <= START_P99_MS, told)

    def _best(self, figure: Figure) -> tuple[str, float] | None:
        """The best of those that deliver at least once, and how many times better ours is."""
        for name in figure.peers():
            ratio = figure.ratio(name)
            if name in self._at_least_once and ratio is not None:
                return name, ratio
        return None

    def _less_promised(self, figure: Figure) -> str:
        """Tell of those that promise less, and are faster than the best of the others."""
        told = []
        for name in figure.peers():
            ratio = figure.ratio(name)
            if name in self._at_least_once:
                break
            if name != LIMIT and ratio is not None:
                told.append(f"{number(ratio)} × {name}")
        return f" Of those that deliver at most once: {', '.join(told)}." if told else ""


_NOT_ALL = "Its peers were not all measured."


def _cause(cpu_us: float) -> str:
    return f" One core gives at most {number(1e6 / cpu_us)}/s at {number(cpu_us)} µs of CPU a job."
