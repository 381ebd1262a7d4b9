"""Plans, decided by code: what may be one, what comes next in one, and how one is told.

    reply ─reading─▶ Plan ─rules─▶ faults, or ─settled─▶ ledger ─next_of─▶ steps to begin
                                                          ▲                    │ binding
                                                          └─ended─ criteria ◀──┘ (a job each)

A model's plan is a wish. Nothing here calls one, reads a clock or does anything; what carries
plans out is `desktop.jobs.plan`.
"""
