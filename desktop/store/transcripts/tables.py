"""The schema of the transcripts, one numbered step a function.

A cell carries the sums of its turns, and `tally` those of the cells that ended alike, so that
neither statistics nor progress ever read a text.
"""

from __future__ import annotations

import sqlite3


def _start(connection: sqlite3.Connection) -> None:
    connection.execute(
        "create table run (run_key integer primary key, run_id text not null unique,"
        " name text not null, definition text not null, sha256 text not null,"
        " models text not null, repeats integer not null, seed integer, total integer not null,"
        " created_ms integer not null, ended_ms integer)"
    )
    connection.execute(
        "create table scenario (run_key integer not null, number integer not null,"
        " id text not null, cluster text not null, options text not null, body text not null,"
        " unique (run_key, number), unique (run_key, id))"
    )
    connection.execute(
        "create table cell (run_key integer not null, idx integer not null,"
        " scenario integer not null, model integer not null, repeat integer not null,"
        " state text not null default 'open', choice text not null default '',"
        " fault text not null default '', message text not null default '', cost_usd real,"
        " attempts integer not null default 0, turns integer not null default 0,"
        " input_tokens integer not null default 0, output_tokens integer not null default 0,"
        " cached_tokens integer not null default 0, cache_write_tokens integer not null default 0,"
        " reasoning_tokens integer not null default 0, is_estimated integer not null default 0,"
        " total_ms real not null default 0, model_reported text not null default '',"
        " ended_ms integer, primary key (run_key, idx)) without rowid"
    )
    for column in ("state", "model", "scenario"):
        connection.execute(f"create index cell_{column} on cell (run_key, {column}, idx)")
    connection.execute("create index cell_fault on cell (run_key, fault, idx) where fault != ''")
    connection.execute(
        "create table turn (run_key integer not null, idx integer not null,"
        " number integer not null, asked text not null, answered text not null,"
        " model_reported text not null, request_id text not null, fingerprint text not null,"
        " finish_reason text not null, is_refusal integer not null,"
        " input_tokens integer not null, output_tokens integer not null,"
        " cached_tokens integer not null, cache_write_tokens integer not null,"
        " reasoning_tokens integer not null, is_estimated integer not null,"
        " first_token_ms real, total_ms real not null, sent text not null,"
        " prompt_sha256 text not null, attempts integer not null, at_ms integer not null,"
        " unique (run_key, idx, number))"
    )
    connection.execute(
        "create table tally (run_key integer not null, model integer not null,"
        " state text not null, fault text not null, cells integer not null,"
        " unpriced integer not null, cost_usd real not null, input_tokens integer not null,"
        " output_tokens integer not null, cached_tokens integer not null,"
        " cache_write_tokens integer not null, reasoning_tokens integer not null,"
        " estimated integer not null, primary key (run_key, model, state, fault)) without rowid"
    )


MIGRATIONS = (_start,)

OF_A_RUN = ("turn", "tally", "cell", "scenario", "run")
"""The tables that hold a run, what depends on others first."""
