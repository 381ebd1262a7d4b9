"""Recorder."""

from __future__ import annotations


class Recorder:
    pass
