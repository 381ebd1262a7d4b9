"""Agents that speak ACP, for tests: one that misbehaves in every way there is, one by the SDK."""
