"""The command line as a person runs it: child processes, real hubs, plain sentences."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.environment import Environment
from shared.errors import ErrorBody
from shared.jobs import ATTEMPTS_MAX
from tests.hub.frontends.world import HastyClock, World, open_world, until
from tests.pairing import Computer

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "hub") as opened:
        yield opened


async def run(*arguments: str, said: str = "", **environment: str) -> Ran:
    """Run `deskhand-hub` to its end."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, **environment},
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(program.communicate(said.encode()), SECONDS)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode is not None
    return Ran(program.returncode, out.decode(), err.decode())


def at(world: World) -> dict[str, str]:
    """The environment of a command on the hub's own machine."""
    settings = world.hub.settings
    return {"HUB_DATA": str(settings.data), "HUB_PORT": str(settings.port)}


COMMANDS = (
    *(
        "serve",
        "invite",
        "approve",
        "chat",
        "doctor",
        "keys",
        "dead",
        "fleet",
        "backup",
        "restore",
        "demo",
    ),
)


async def test_help_teaches_the_first_steps() -> None:
    ran = await run("--help")
    assert ran.code == 0
    for command in COMMANDS:
        assert f"\n    {command}" in ran.out


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_explains_itself(command: str) -> None:
    ran = await run(command, "--help")
    assert ran.code == 0
    assert len(ran.out.splitlines()) > 6


async def test_without_a_command_the_help_is_shown_and_it_counts_as_wrong() -> None:
    ran = await run()
    assert (ran.code, ran.out) == (2, "")
    assert "deskhand-hub serve" in ran.err


async def test_invite_makes_a_code_that_pairs(world: World) -> None:
    ran = await run("invite", "--yes", **at(world))
    assert ran.code == 0
    code = ran.out.split()[1]
    assert f"deskhand pair {code} --hub {world.url}" in ran.out
    pc = Computer()
    noted = (await world.rest.post("/pairings", json={"code": code, **pc.body})).json()
    signed = {"signature": pc.signature(noted)}
    paired = await world.rest.post(f"/pairings/{noted['pairing_id']}/token", json=signed)
    assert paired.json()["worker_name"] == "anna-pc"


async def test_invite_in_a_pipe_says_where_to_approve(world: World) -> None:
    ran = await run("invite", **at(world))
    assert ran.code == 0
    assert f"curl -fsSL {world.url}/worker.sh | sh -s -- {ran.out.split()[1]}" in ran.out
    assert ran.out.endswith("approve it in the chat, or with: deskhand-hub approve list\n")
    listed = await run("approve", "list", **at(world))
    assert (listed.code, listed.out) == (0, "Nobody waits to be let in.\n")


async def test_a_computer_is_let_in_on_the_command_line(world: World) -> None:
    computer = Computer()
    owner = (await world.hub.services.registry.people())[0]
    invitation = await world.hub.services.pairing.invite(owner.person_id)
    asked = await computer.ask(world.hub.services, invitation.code)
    listed = await run("approve", **at(world))
    name = listed.out.split()[0]
    assert (await run("approve", name, **at(world))).out == "anna-pc was let in.\n"
    again = await run("approve", name, "--no", **at(world))
    assert (again.code, again.out) == (1, "")
    assert "anna-pc was let in before, by me on the API." in again.err
    await computer.token(world.hub.services, asked)


async def test_invite_brings_a_person_in_with_a_key_that_works(world: World) -> None:
    ran = await run("invite", "--person", "Ben", **at(world))
    key = next(word for word in ran.out.split() if word.startswith("dh_person_"))
    async with world.chat(key) as chat:
        [view] = await chat.say("/start")
        assert "No computer is connected yet." in view.text
        assert chat.client.greeting.person == "Ben"


async def test_the_chat_works_in_a_pipe(world: World) -> None:
    ran = await run("chat", said="/workers\n/trian\n", **at(world))
    assert ran.code == 0
    assert ran.out == (
        "\nyou ▸ /workers\nhub ▸ No computer is connected yet.\n      1. Connect a computer\n"
        "\nyou ▸ /trian\nhub ▸ ⚠ There is no command /trian. Did you mean /train?\n"
    )


async def test_a_pipe_answers_the_question_of_a_job_and_waits_for_its_end(world: World) -> None:
    from tests.hub.frontends.test_console import QUESTION, WHICH_FILE

    worker = await world.pair()
    async with worker.online(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run("chat", said="/train\nb\n", **at(world)))
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.asks(grant, WHICH_FILE, QUESTION)
        views = world.hub.services.views

        async def is_answered() -> bool:
            question = await views.question(QUESTION)
            return question is not None and question.answer is not None

        async with asyncio.timeout(SECONDS):
            while not await is_answered():  # noqa: ASYNC110 - the store has no bell for tests
                await asyncio.sleep(0.01)
        await worker.succeeds(grant, {"headline": "Model ready."})
        ran = await running
    assert ran.code == 0
    assert "you ▸ b\n" in ran.out
    assert ran.out.endswith("hub ▸ Model ready.\n")


async def test_doctor_is_content_with_a_hub_that_has_a_worker(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        ran = await run("doctor", **at(world))
    assert (ran.code, ran.err) == (0, "")
    assert "✓ Frontend console: ok" in ran.out
    assert "✓ Computer anna-pc: connected, 2 of 2 slots free" in ran.out
    assert "⚠" not in ran.out


async def test_doctor_says_when_nobody_makes_backups(tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_text("dh_admin_x")
    ran = await run("doctor", HUB_DATA=str(tmp_path))
    assert "backup" not in ran.out
    old = time.time() - 3 * 86400
    os.utime(tmp_path / "admin.key", (old, old))
    ran = await run("doctor", HUB_DATA=str(tmp_path))
    assert "No backup of the last two days; there is none." in ran.out
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / f"hub-{datetime.now(UTC):%Y%m%d-%H%M%S}.backup").touch()
    ran = await run("doctor", HUB_DATA=str(tmp_path))
    assert "✓ Newest backup: " in ran.out


async def test_a_backup_is_made_of_a_running_hub_and_brought_back_when_it_is_not(
    tmp_path: Path,
) -> None:
    data = tmp_path / "hub"
    async with open_world(data) as world:
        made = await run("backup", **at(world))
        assert made.code == 0, made.err
        assert "read back and sound" in made.out
        assert "admin.key, pepper.key" in made.out
        refused = await run("restore", "--latest", **at(world))
        assert refused.code == 1
        assert "A hub is running on" in refused.err
        where = at(world)
    which = await run("restore", **where)
    assert which.code == 1
    assert "take the newest with --latest" in which.err
    done = await run("restore", "--latest", **where)
    assert done.code == 0, done.err
    assert "ask their person: run again, mark done, or give up." in " ".join(done.out.split())
    async with open_world(data) as world:
        asked = await run("doctor", **at(world))
        assert "Hub at" in asked.out


async def test_doctor_says_what_is_missing(world: World) -> None:
    ran = await run("doctor", **at(world))
    assert ran.code == 1
    assert "⚠ No computer is connected yet.\n  `deskhand-hub invite` makes a code" in ran.out


async def test_doctor_tells_which_self_contained_workers_there_are(world: World) -> None:
    ran = await run("doctor", **at(world))
    folder = world.hub.settings.downloads
    assert f"No self-contained worker in {folder}: computers need Python" in ran.out
    assert "which only this machine reaches; HUB_PUBLIC_URL names another address" in ran.out
    folder.mkdir()
    (folder / "deskhand-worker-linux-aarch64-1.2.tar.gz").write_bytes(b"x" * 2_100_000)
    ran = await run("doctor", **at(world))
    assert "✓ Self-contained worker to download: linux-aarch64 1.2, 2.1 MB" in ran.out


async def test_dead_lists_and_requeues(tmp_path: Path) -> None:
    clock = HastyClock()
    async with open_world(tmp_path / "hub", Environment(clock=clock)) as world:
        assert (await run("dead", **at(world))).out.startswith("No dead letters")
        missing = await run("dead", "requeue", "K7Q2", **at(world))
        assert (missing.code, missing.out) == (1, "")
        assert "No dead letter is called #K7Q2." in missing.err
        worker = await world.pair()
        failure = ErrorBody(code="busy", message="The disk is busy.", retryable=True)
        async with worker.online():
            job_id = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()["job_id"]
            for _ in range(ATTEMPTS_MAX):
                world.hub.services.dispatcher.stir()
                grant = await worker.grant_of(job_id)
                del worker.grants[job_id]
                await worker.starts(grant)
                await worker.fails(grant, failure)
                await until(lambda: worker.acked == len(worker.log))
                # Less than a worker's silence may last, more than any wait between tries.
                clock.ahead_seconds += 40
        listed = await run("dead", **at(world))
        assert "The disk is busy." in listed.out
        assert (await run("dead", "list", **at(world))).out == listed.out
        unasked = await run("dead", "requeue", "all", **at(world))
        assert (unasked.code, unasked.out) == (1, "")
        assert "Queue 1 dead letter again? Nobody said yes" in unasked.err
        requeued = await run("dead", "requeue", "all", "--yes", **at(world))
        assert "is queued again" in requeued.out
        assert (await run("dead", **at(world))).out.startswith("No dead letters")
        undone = await world.rest.post(f"/dead-letters/{job_id}/undo")
        assert (undone.status_code, undone.json()["state"]) == (200, "dead")
        short = undone.json()["short"]
        shown = await run("dead", "show", short, **at(world))
        assert "why     The disk is busy." in shown.out
        tries = [line for line in shown.out.splitlines() if line.startswith("try ")]
        assert len(tries) == ATTEMPTS_MAX
        assert all("on anna-pc, after" in one and "(busy)" in one for one in tries)
        unsaid = await run("dead", "purge", **at(world))
        assert (unsaid.code, unsaid.out) == (1, "")
        assert (
            "Forget 1 dead letter for good" in (await run("dead", "purge", short, **at(world))).err
        )
        purged = await run("dead", "purge", short, "--yes", **at(world))
        assert "is forgotten" in purged.out
        assert (await world.rest.get(f"/jobs/{job_id}")).status_code == 404


async def test_keys_are_made_rotated_and_revoked_from_the_command_line(world: World) -> None:
    made = await run("keys", "create", "ci", "--scope", "enqueue", "--days", "90", **at(world))
    key = made.out.strip()
    assert (made.code, key.startswith("dh_enqueue_"), "\n" in key) == (0, True, False)
    headers = {"Authorization": f"Bearer {key}"}
    assert (await world.rest.get("/jobs", headers=headers)).status_code == 200
    listed = (await run("keys", **at(world))).out
    assert f"…{key[-4:]}  enqueue  ci (me)" in listed
    assert key not in listed
    rotated = await run("keys", "rotate", "ci", "--hours", "0", **at(world))
    assert rotated.out.startswith("dh_enqueue_")
    assert (await world.rest.get("/jobs", headers=headers)).status_code == 401
    new = rotated.out.strip()
    # As listed: a dash at the beginning would be read as an option.
    ended = await run("keys", "revoke", f"…{new[-4:]}", **at(world))
    assert (ended.code, "works no more" in ended.out) == (0, True)
    headers = {"Authorization": f"Bearer {new}"}
    assert (await world.rest.get("/jobs", headers=headers)).status_code == 401
    unknown = await run("keys", "revoke", "nothing", **at(world))
    assert (unknown.code, unknown.out) == (1, "")


WRONG = [
    (("chat",), "There is no key for http://127.0.0.1:"),
    (("invite",), "There is no key for http://127.0.0.1:"),
    (
        ("chat", "--key", "x", "--hub", "http://127.0.0.1:1"),
        "No hub answers at http://127.0.0.1:1.",
    ),
    (("invite", "--key", "x", "--hub", "http://127.0.0.1:1"), "No hub answers at"),
    (("chat", "--key", "x", "--hub", "ftp://x"), "'ftp://x' is no address of a hub."),
    (("dead", "--key", "x", "--hub", "nonsense"), "'nonsense' is no address of a hub."),
    (("serve", "--port", "99999"), "These settings cannot work: HUB_PORT"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
async def test_what_cannot_work_is_one_sentence_and_a_next_step(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    ran = await run(*arguments, HUB_DATA=str(tmp_path / "none"))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"deskhand-hub: {message}")
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) == 2


async def test_a_wrong_key_is_told_so(world: World) -> None:
    for command in ("chat", "invite", "dead"):
        ran = await run(command, "--key", "dh_admin_x_y", **at(world))
        assert ran.code == 1
        assert ran.err.startswith("deskhand-hub: This key is wrong or was revoked.")


async def test_a_taken_port_is_told_so(world: World, tmp_path: Path) -> None:
    port = str(world.hub.settings.port)
    ran = await run("serve", "--port", port, HUB_DATA=str(tmp_path / "other"))
    assert ran.code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in ran.err
