"""Four tasks in plain words, done end to end: real programs, scripted models, made-up data.

`make examples` plays them and writes `docs/examples/`; a test plays them and compares.
"""
