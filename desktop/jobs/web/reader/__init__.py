"""Reads one document into text: a program of its own, for what it opens was written by strangers.

It gets a file, writes JSON to its standard output and ends. Where the machine has a sandbox it runs
in one: no network, nothing of the person's files; everywhere it is ended when it takes too long.
"""
