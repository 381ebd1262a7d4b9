"""Tasks that need no key: their files, and a model that knows them by heart.

`deskhand-hub demo plan` and the examples in the documentation are played with them.
"""
