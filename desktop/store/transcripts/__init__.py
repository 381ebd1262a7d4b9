"""The transcripts of this machine: an SQLite file of its own, written by the shared child."""
