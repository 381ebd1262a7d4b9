"""The job of the hub's benchmarks, at its old place; it lives in `nothing`."""

from tests.benchmarks.queue.nothing import NOTHING

__all__ = ["NOTHING"]
