"""Real agents from npm, driven as a job drives them: `make test-agents`, never by itself.

Each works in the worker's own sandbox, asks its model at the worker's own gateway, and its person
by the worker's own `ask_human`; only the model is a script. Nothing leaves this machine but the
installation, once.
"""
