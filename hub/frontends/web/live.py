"""The bell of open pages: one stream a page, `/live?after=SEQ`.

    id: 4711                        id: the hub_seq; a browser that comes back sends it
    event: news                     what happened, by topic: pages fetch their parts anew
    data: {"topics": ["jobs", "job:018f…"]}

    event: progress                 transient, without an id
    data: {"job": "018f…", "stage": "…", "done": 3, "total": 5, "eta_seconds": 18.0}

A topic is the first part of an event's type ("jobs", "questions", "workers", "sessions", …), or
names one thing: "job:ID", "task:ID", "question:ID", "worker:ID".
"""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
