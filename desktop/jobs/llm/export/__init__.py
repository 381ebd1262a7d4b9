"""Transcripts for other programs: inspect's eval log, JSON Lines, CSV (docs/probe-transcripts.md).

writing ─▶ inspect_log, lines, sheet ─▶ store: one cell after the other, of any number
"""
