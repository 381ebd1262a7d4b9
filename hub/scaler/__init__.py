"""The scaler: a program of its own that asks the hub what waits, decides, and tells the hosts.

    GET /fleet ─┐                       ┌─▶ host: start, stop
                ├─▶ hub.core.fleet ─────┤
    hosts ──────┘   (decides)           └─▶ POST /fleet/nodes/…/drain

It keeps nothing on a disk: whoever starts it again finds nodes and instances where they are.
"""
