"""The hub's figures for Prometheus, `GET /metrics`: what there is stands in `catalogue`.

    sources ──▶ readings (a figure and its samples) ──▶ exposition (prometheus-client) ──▶ site

prometheus-client is imported at the first scrape. No figure names a person, a computer or a job.
"""
