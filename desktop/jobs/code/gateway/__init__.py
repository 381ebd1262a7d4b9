"""The one way out of a job's sandbox: models, questions, and registries that its owner allows.

HTTP on a unix socket in the job's own child. Keys are put in here and are never inside; tokens are
counted and the budget is held here. `gateway.py` is the public face.
"""
