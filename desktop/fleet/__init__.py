"""A node of the fleet: takes tickets from a broker, and works on what the hub lets it begin.

    broker ──▶ consumer ──▶ tasks ──▶ node ── start ──▶ hub
    (Celery, main thread)  (a slot)    │ ▲                │ the spec, for one delivery alone
                                       ▼ │ told           ▼
                                    runner ──▶ children  reports, beats, questions

Two threads meet: Celery's, which blocks with a thread for each slot, and the one of the loop that
everything else runs on. The ticket gives no right but to ask the hub, so it may come twice. Nothing
is kept here: what a node had in hand is lost with it, and the hub knows what to do then.
`work`, `reports` and `hub_line` know nothing of Celery; `consumer`, `tasks` and `order` nothing of
jobs.
"""
