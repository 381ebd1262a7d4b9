"""Carries out tasks in plain words: a model plans, a person approves, other jobs do the work.

    planner ─▶ clarifying ─▶ planner ─▶ approving ─▶ conductor ─▶ composing
       ▲          (once)                   │ change     │ replan (<= 2)
       └───────────────────────────────────┴────────────┘

What is decided by code stands in `desktop.core.plan`. Every step of a task's life is in its state
file (`state`) before the next begins, and every reply of a model in its own (`calls`), so that who
goes on after a crash asks nobody and does nothing twice.
"""
