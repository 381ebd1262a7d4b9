"""The fleet, whole: a hub, a real broker, real nodes, and a model that follows a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.jobs import JobState
from tests.brokers.rabbitmq import RabbitServer
from tests.brokers.redis import RedisServer
from tests.brokers.server import Server
from tests.flows.fleet import Fleet, a_fleet, kill, wait_for
from tests.llm_servers.scripted import ScriptedModel
from tests.llm_servers.scripted import running as model_running

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

MODEL = "house:scripted"
ANSWER = "Forty-two."
SECRET = "the words that nobody else reads"
SCENARIO = {"id": "one", "prompt": "What is the answer?"}


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with model_running({"answer": ANSWER}) as one:
        yield one


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, model: ScriptedModel
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp(request.param)
    server: Server
    if request.param == "redis":
        server = RedisServer(folder / "broker", "always")
    else:
        server = RabbitServer(folder / "broker")
    with a_fleet(folder, server) as one:
        one.policy = folder / "policy.toml"
        one.policy.write_text(
            f'[[llm.endpoints]]\nname = "house"\nbase_url = "{model.openai_url}"\n'
        )
        one.start_node("node-1")
        one.until_here("node-1")
        yield one


def hang_once(model: ScriptedModel) -> None:
    """Let the next request wait until the model is freed."""
    model.is_hanging.clear()
    model.freed.clear()
    model.fail("hang")


def test_a_question_to_a_model_is_answered_by_a_node(fleet: Fleet, model: ScriptedModel) -> None:
    job = fleet.ask_for("ask", "llm.ask", text=SECRET, task="summarize", model=MODEL)

    done = fleet.until(job, JobState.SUCCEEDED, JobState.FAILED, JobState.DEAD)

    assert done.result is not None, done.error
    assert done.result["text"] == ANSWER
    assert fleet.starts(job).total() == 1
    assert any(SECRET in one.text for one in model.requests)


def test_a_probe_stands_alone_in_the_fleet(fleet: Fleet) -> None:
    job = fleet.ask_for("probe", "llm.probe", scenario=SCENARIO, model=MODEL)

    done = fleet.until(job, JobState.SUCCEEDED, JobState.FAILED, JobState.DEAD)

    assert done.result is not None, done.error
    assert (done.result["state"], done.result["turns"]) == ("answered", 1)


def test_a_job_asks_its_person_and_goes_on_with_the_answer(fleet: Fleet) -> None:
    job = fleet.ask_for("asks", "llm.ask", text="Some text.", model=MODEL)

    asked = fleet.question(job)
    assert asked.asking.choices[0].label == "Summarize"
    # Whoever asks needs no slot: the node takes others meanwhile.
    others = [
        fleet.ask_for(f"other-{n}", "llm.probe", scenario=SCENARIO, model=MODEL) for n in range(3)
    ]
    for other in others:
        fleet.until(other, JobState.SUCCEEDED)
    fleet.answer(job, "Summarize")

    done = fleet.until(job, JobState.SUCCEEDED, JobState.FAILED)
    assert done.result is not None, done.error
    assert done.result["text"] == ANSWER
    types = fleet.types(job)
    assert types.index("question_answered") < types.index("job_resumed")
    assert fleet.starts(job).total() == 1


def test_what_is_cancelled_ends_on_its_node(fleet: Fleet, model: ScriptedModel) -> None:
    hang_once(model)
    job = fleet.ask_for("hangs", "llm.probe", scenario=SCENARIO, model=MODEL)
    assert model.is_hanging.wait(60)

    fleet.client.cancel_job(job)

    fleet.until(job, JobState.CANCELLED)
    model.freed.set()
    wait_for("nothing is in hand", lambda: fleet.client.get_fleet().nodes[0].held == 0)


def test_a_job_goes_on_while_its_hub_is_started_anew(fleet: Fleet, model: ScriptedModel) -> None:
    hang_once(model)
    job = fleet.ask_for("restart", "llm.probe", scenario=SCENARIO, model=MODEL)
    assert model.is_hanging.wait(60)

    assert fleet.hub is not None
    kill(fleet.hub)
    model.freed.set()
    fleet.start_hub()

    fleet.until(job, JobState.SUCCEEDED)
    assert fleet.starts(job).total() == 1
    assert fleet.types(job).count("job_succeeded") == 1


def test_no_words_and_no_keys_stand_in_the_broker(fleet: Fleet) -> None:
    stood = list(files_with(fleet.folder / "broker", b"deskhand.llm"))
    assert stood, "nothing of the fleet was found there: the test looks in the wrong place"

    for words in (SECRET, "What is the answer?", fleet.key):
        assert list(files_with(fleet.folder / "broker", words.encode())) == []


def files_with(folder: Path, words: bytes) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and words in path.read_bytes():
            yield path


def test_a_node_that_is_drained_ends_well_and_leaves_nothing(fleet: Fleet) -> None:
    fleet.start_node("node-2")
    fleet.until_here("node-2")
    fleet.client.drain_fleet_node("node-2")

    assert fleet.nodes["node-2"].wait(60) == 0
    assert not fleet.log("node-2").read_text().count('"level": "error"')


def test_children_go_with_a_node_that_is_killed(fleet: Fleet, model: ScriptedModel) -> None:
    hang_once(model)
    fleet.ask_for("orphan", "llm.probe", scenario=SCENARIO, model=MODEL)
    assert model.is_hanging.wait(60)
    children = psutil.Process(fleet.nodes["node-1"].pid).children(recursive=True)
    assert children

    kill(fleet.nodes["node-1"])

    _gone, alive = psutil.wait_procs(children, timeout=10)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in alive)
    model.freed.set()
    fleet.start_node("node-1")
    fleet.until(fleet.asked["orphan"], JobState.SUCCEEDED)
    assert fleet.starts(fleet.asked["orphan"]).total() == 2
