"""SQLite of the worker: plain functions of a connection; no decision, no commit inside."""
