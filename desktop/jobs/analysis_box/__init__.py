"""What of ours runs in the box of an analysis: reads the tables, runs a model's code, hands over.

Everything here is at the mercy of that code; what it writes is checked outside
(`desktop.core.analysis.results`).
"""
