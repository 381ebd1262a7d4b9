"""data.analyze: a model writes code, a box runs it, the answer cites what was computed."""
