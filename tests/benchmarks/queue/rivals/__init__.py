"""Other queues: each a task that does nothing, in an environment without Deskhand.

A module names its queue's own objects, as its manual shows them, and `enqueue`, which returns once
the queue has taken a job. The broker's address is in BENCH_BROKER, the file of records in
BENCH_RECORDS (`tests.benchmarks.queue.records`).
"""
