"""files.read, files.list, files.write, files.edit, files.undo: documents of allowed folders.

Reading other programs' formats is done in a process of its own; what is written is written down
first (`changes`), so that it happens once and can be taken back.
"""
