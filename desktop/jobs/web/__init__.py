"""The web, as jobs go there: fetching, reading, searching, browsing; and what is made of it.

    research ──▶ searching ──▶ fetcher ──▶ reading ──▶ model ──▶ findings, checked
                     │            │  ▲        (a process of its own for each document)
                     │            ▼  │
                     └────▶ outside (looks up once, checks, connects)  ◀── browser's proxy

Nothing that a page says comes back up this line as a request: what is fetched follows from the
question, the policy, and what a person names.
"""
