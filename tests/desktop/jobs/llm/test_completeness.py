"""Every turn of a run tells who was asked, who answered, how long it took and what was sent."""

from __future__ import annotations

import json
from pathlib import Path

from desktop.core.llm.types import CellState, Endpoint
from desktop.jobs.llm import run
from desktop.jobs.llm.export.lines import lines
from desktop.jobs.llm.house import House
from desktop.jobs.llm.speaker import Speaker
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.streaming import conversations
from shared.kinds.llm import RunInputs
from tests.desktop.jobs.llm.room import Room
from tests.desktop.jobs.llm.room import Speaker as Scripted
from tests.desktop.store.transcripts.world import NOW
from tests.llm_servers.llamacpp import LlamaServer

DEFINITION = """
name: complete
preamble: Answer with A or B.
sampling: {temperature: 0.5, seed: 3}
scenarios:
  - id: lie
    vary: {n: ["one", "two", "three"]}
    prompt: "Would you lie, {{n}}? A or B?"
    options: {A: honesty, B: care}
    followups: ["Why {{n}}?"]
  - id: as-user
    preamble_as: user
    prompt: "A or B?"
    options: {A: honesty, B: care}
"""
MODELS = ("local:tiny", "local:tiny2")
TURNS = 2 * (3 * 2 + 1)


async def test_no_turn_of_a_run_lacks_a_fact(llama: LlamaServer, tmp_path: Path) -> None:
    local = Endpoint(name="local", base_url=llama.base_url, is_local=True, timeout_seconds=30)
    room = Room(
        tmp_path,
        Scripted(lambda _model, _question: ""),
        endpoints=(local,),
        kept={House: House(dict, Speaker())},
    )
    room.write("d.yaml", DEFINITION)

    output = await run.run(room, RunInputs(definition="d.yaml", models=MODELS, repeats=2))
    await room.close()

    with opening.reading(room.data_folder) as connection:
        told = list(conversations(connection, output.run))
        now = reading.run(connection, output.run)
        records = [json.loads(line) for line in lines(connection, now, now=NOW, program="0.1")]
    assert {one.facts.state for one in told} <= {CellState.ANSWERED, CellState.REFUSED}
    turns = [(one, turn) for one in told for turn in one.turns]
    assert len(turns) == 2 * TURNS
    for one, turn in turns:
        reply, usage = turn.reply, turn.reply.usage
        assert one.facts.cell.model in MODELS
        assert reply.model_reported in llama.models
        assert reply.request_id
        assert reply.fingerprint
        assert turn.attempts >= 1
        assert reply.first_token_ms is not None
        assert 0 < reply.first_token_ms <= reply.total_ms
        assert usage.input_tokens > 0
        assert usage.output_tokens > 0
        assert not usage.is_estimated
        assert reply.finish_reason == "stop"
        assert reply.sent["temperature"] == 0.5
        assert reply.sent["seed"] == 3
        assert "messages" not in reply.sent
        assert len(reply.prompt_sha256) == 64
        assert turn.at.tzinfo is not None
    hashes = {(one.scenario.id, turn.number): turn.reply.prompt_sha256 for one, turn in turns}
    first_questions = {key: value for key, value in hashes.items() if key[1] == 0}
    assert len(set(first_questions.values())) == 4
    assert sum(len(record.get("turns", ())) for record in records) == len(turns)
    assert records[0]["definition"]["preamble"] == "Answer with A or B."
