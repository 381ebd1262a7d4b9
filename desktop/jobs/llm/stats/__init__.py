"""Statistics of a probe run, from rows to a report, words, tables and plots; numpy alone.

    rows ─▶ cells (numbers) ─▶ shares · scores · differences · agreement ─▶ report
                                        │ resampling (clusters drawn anew)      │
                                        └ intervals, student                    ├▶ words, tables
                                                                                └▶ plots

No clock, no file, no network: `desktop.jobs.llm.statistics` reads the rows and writes the files.
What is computed, and how well it holds, stands in docs/probe-statistics.md.
"""
