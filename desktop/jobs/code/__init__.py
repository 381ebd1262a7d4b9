"""Coding jobs: an agent in a sandbox, and all that the worker does around it."""
