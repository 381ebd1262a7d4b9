"""Decisions of the hub: values in, values out; no I/O, no clock."""
