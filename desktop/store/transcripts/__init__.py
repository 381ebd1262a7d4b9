"""The transcripts of this machine: an SQLite file of its own, written by the shared child.

    records ◀─ tables ◀─ writing, reading, pages ◀─ opening ◀─ forgetting ◀─ transcripts

One process writes (`Transcripts`, under a file's lock), any number read beside it
(`opening.reading` with the functions of `reading` and `pages`). Nothing is deleted by itself; when
a task is purged, `forgetting.forget` deletes its runs, too.
"""
