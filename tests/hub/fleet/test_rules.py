"""The owner's setting: which kinds, for whom, by which broker; and what it cannot give away."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hub.app import compose
from hub.core.access import Person, Role
from hub.core.fleet_rules import (
    broker_place,
    checked_broker,
    may_leave,
    read_rules,
    why_stays,
)
from hub.settings import Settings, load_settings
from shared.errors import AppError, BadInput
from shared.ids import JobId, PersonId
from shared.kinds.catalogue import BUILT_IN
from tests.makers import NOON, make_job

FIT = ("llm.ask", "llm.probe", "web.read", "web.research", "web.search")
ANNA = Person(person_id=PersonId("anna"), name="Anna", created_at=NOON, role=Role.OWNER)
BERT = replace(ANNA, person_id=PersonId("bert"), name="Bert", role=Role.MEMBER)


def test_the_fleet_runs_what_needs_no_folder_and_no_log_of_a_worker() -> None:
    assert tuple(sorted(kind.name for kind in BUILT_IN.values() if kind.is_for_fleet)) == FIT
    for name in FIT:
        kind = BUILT_IN[name]
        assert not kind.makes, name
        assert kind.idempotent, name
        assert set(kind.home_inputs) <= set(kind.inputs.model_fields), name


def test_every_input_of_theirs_that_names_a_file_or_a_run_keeps_a_job_at_home() -> None:
    for name in FIT:
        kind = BUILT_IN[name]
        local = {"file", "files", "folder", "path", "run", "again"} & set(kind.inputs.model_fields)
        assert local <= set(kind.home_inputs), name


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - set(FIT)))
def test_any_other_kind_is_private_whatever_the_owner_says(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_rules(f"llm.ask, {name}", "*", BUILT_IN)
    assert caught.value.code == "fleet_kind_private"
    assert name in caught.value.message


def test_a_kind_that_is_none_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        read_rules("llm.aks", "", BUILT_IN)
    assert caught.value.code == "fleet_kind_unknown"
    assert "llm.aks" in caught.value.message
    assert "llm.ask" in caught.value.hint


@pytest.mark.parametrize(
    ("people", "anna", "bert"),
    [("", True, False), ("*", True, True), ("bert", False, True), (" Anna , BERT", True, True)],
)
def test_who_may_use_it_is_the_owners_setting(people: str, anna: bool, bert: bool) -> None:
    users = read_rules("llm.ask", people, BUILT_IN).users((ANNA, BERT), ())
    assert (ANNA.person_id in users, BERT.person_id in users) == (anna, bert)


def test_nobody_comes_to_the_fleet_by_calling_themselves_as_somebody_else() -> None:
    rules = read_rules("llm.ask", "bert", BUILT_IN)
    bert = replace(BERT, person_id=PersonId("b-1"))
    older = replace(bert, person_id=PersonId("a-1"))
    later = replace(bert, person_id=PersonId("c-1"))
    assert rules.users((bert, older, later), {bert.person_id}) == {bert.person_id}
    assert rules.users((bert, later), ()) == {bert.person_id}
    by_id = read_rules("llm.ask", "B-1", BUILT_IN)
    assert by_id.users((replace(bert, name="other"), older, later), ()) == {bert.person_id}


def test_nobody_uses_a_fleet_for_nothing() -> None:
    assert not read_rules("", "*", BUILT_IN).users((ANNA,), ())


@pytest.mark.parametrize(
    "url",
    [
        "redis://:geheim@broker.example.org:6379/0",
        "rediss://broker.example.org",
        "amqp://user:geheim@broker.example.org//",
        "amqps://user:geheim@broker.example.org:5671/deskhand",
    ],
)
def test_an_address_is_told_without_its_password(url: str) -> None:
    assert checked_broker(url) == url
    place = broker_place(url)
    assert "broker.example.org" in place
    assert "geheim" not in place
    assert "user" not in place


@pytest.mark.parametrize(
    "url",
    [
        "http://geheim@broker",
        "redis://",
        "geheim",
        "redis://:geheim@host:port/0",
        "redis://:geheim@host/one",
        "amqp://user:geheim@broker..example.org//",
        "memory://",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked_broker(url)
    assert caught.value.code == "fleet_broker_invalid"
    assert "geheim" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("kind", "inputs", "stays"),
    [
        ("llm.ask", {"text": "hello"}, False),
        ("llm.ask", {"text": "hello", "local": True}, True),
        ("llm.ask", {"file": "~/letters/anna.txt"}, True),
        ("llm.ask", {"file": ""}, False),
        ("llm.probe", {"run": "K7Q2"}, True),
        ("llm.probe", {"scenario": {}}, False),
        ("web.research", {"question": "why", "local": True}, True),
        ("files.find", {}, True),
        ("no.such", {}, True),
    ],
)
def test_what_a_job_works_on_may_keep_it_at_home(
    kind: str, inputs: dict[str, object], stays: bool
) -> None:
    assert bool(why_stays(BUILT_IN.get(kind), inputs)) is stays  # type: ignore[arg-type]


def test_steps_of_plans_and_local_jobs_never_leave() -> None:
    free = make_job(kind="llm.ask")
    assert may_leave(free)
    assert not may_leave(replace(free, tools=("local",)))
    assert not may_leave(replace(free, part_of=JobId("plan")))
    assert not may_leave(replace(free, part_of=JobId("plan"), is_lent=True))


def test_the_brokers_password_is_in_no_text_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUB_FLEET_BROKER", "redis://:geheim@broker/0")
    settings = load_settings()
    assert "geheim" not in repr(settings)
    assert settings.fleet_broker.get_secret_value().endswith("@broker/0")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"fleet_broker": "http://broker"}, "fleet_broker_invalid"),
        ({"fleet_broker": "redis://b", "fleet_kinds": "ml.train"}, "fleet_kind_private"),
        ({"fleet_kinds": "no.such"}, "fleet_kind_unknown"),
    ],
)
def test_a_hub_does_not_start_with_a_fleet_that_cannot_be(
    tmp_path: Path, more: dict[str, str], code: str
) -> None:
    with pytest.raises(AppError) as caught:
        compose(Settings.model_validate({"data": tmp_path, **more}))
    assert caught.value.code == code


HEAVY = ("celery", "kombu", "amqp", "redis", "vine", "billiard")
PROGRAM = """
import sys
from pathlib import Path
{hidden}
from hub.app import compose
from hub.settings import Settings
from shared.errors import AppError
try:
    hub = compose(Settings.model_validate({{"data": Path(sys.argv[1]), **{more}}}))
    print(type(hub.fleet).__name__, [name for name in {heavy} if name in sys.modules])
except AppError as error:
    print(error.code)
"""


def composed(folder: Path, *, hidden: str = "", more: dict[str, str] | None = None) -> str:
    program = PROGRAM.format(hidden=hidden, heavy=HEAVY, more=more or {})
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")}
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test_with_no_broker_set_nothing_of_celery_is_imported(tmp_path: Path) -> None:
    assert composed(tmp_path) == "NoneType []"


def test_with_a_broker_set_celery_is(tmp_path: Path) -> None:
    told = composed(tmp_path, more={"fleet_broker": "redis://127.0.0.1:1/0"})
    assert told.startswith("CeleryEngine ['celery'")


def test_without_celery_a_broker_cannot_be_used_and_the_hub_says_so(tmp_path: Path) -> None:
    hidden = "import importlib.abc\n" + (
        "class Hides(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'celery':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hides())"
    )
    more = {"fleet_broker": "redis://127.0.0.1:1/0"}
    assert composed(tmp_path, hidden=hidden, more=more) == "fleet_tools_missing"
    assert composed(tmp_path, hidden=hidden) == "NoneType []"
