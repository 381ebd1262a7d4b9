"""Rescuer."""

from __future__ import annotations


class Rescuer:
    pass
