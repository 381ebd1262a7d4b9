"""The product's own hub and workers in one loop of virtual time, under faults, watched by oracles.

    world ── builds ──▶ hub, workers (hosts) ── lines ──▶ network
      │                   │ children: child           │ cut, slowed, broken by
      │ people ask        │ stores: real SQLite       ▼
      └─ people           └── each commit ──▶ oracles ◀── faults (random, and tied to steps)

`python -m tests.simulation --seeds 1000 --seed 1` tries worlds 1 to 1000; a seed is a world.
"""
