"""Decisions of the worker: values in, values out; no I/O, no clock, no Qt."""
