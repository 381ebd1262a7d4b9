"""Dispatcher."""

from __future__ import annotations


class Dispatcher:
    pass
