"""Frontends of others run beside ours; one that breaks is started again and harms nobody."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from hub.app import Hub, compose, running
from hub.core.view import Inbound, Sender
from hub.doctor import examine
from hub.frontends.makers import plug_ins, settings_of
from hub.ports import Health, HealthState
from hub.settings import Settings
from shared.environment import Environment
from shared.ids import ConversationId
from tests.hub.frontends.test_outbox import Jumping
from tests.hub.frontends.world import until

HOME = ConversationId("pigeon:1")
GOOD = """
from datetime import UTC, datetime
from hub.core.view import FrontendCapabilities
from hub.ports import Health, HealthState, MessageRef

MADE = []

class Pigeon:
    name = "pigeon"
    capabilities = FrontendCapabilities()

    def __init__(self, setup):
        self.setup, self.shown, self.stops = setup, [], 0
        self.health = Health(state=HealthState.OK, since=datetime.now(UTC))
        self.asgi = {"/pigeon/loft": self.loft}
        MADE.append(self)

    async def start(self, inbox):
        self.inbox = inbox

    async def stop(self):
        self.stops += 1

    async def render(self, conversation, view, replace):
        self.shown.append(view.text)
        return MessageRef(str(len(self.shown)))

    def status(self):
        return self.health

    async def loft(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"coo"})

def make(setup):
    return Pigeon(setup)
"""
_numbers = itertools.count()


class Loft:
    """A folder on the path, into which distributions are installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: list[str] = []

    def install(self, code: str, name: str = "pigeon", target: str = "make") -> str:
        """Install a distribution with one module and one entry point; the module's name."""
        module = f"pigeon_plug_in_{next(_numbers)}"
        (self.folder / f"{module}.py").write_text(textwrap.dedent(code))
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            f"[deskhand.frontends]\n{name} = {module}:{target}\n"
        )
        self._modules.append(module)
        return module

    def forget(self) -> None:
        for module in self._modules:
            sys.modules.pop(module, None)


@pytest.fixture
def loft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loft]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    opened = Loft(folder)
    yield opened
    opened.forget()


@pytest.fixture
def clock() -> Jumping:
    return Jumping()


@pytest.fixture
async def hubs(tmp_path: Path, clock: Jumping) -> AsyncIterator[Any]:
    """Hubs whose loops do not run: each look is taken by the test."""
    opened: list[Hub] = []

    def open_hub() -> Hub:
        hub = compose(Settings(data=tmp_path / "data"), Environment(clock=clock))
        opened.append(hub)
        return hub

    yield open_hub
    for hub in opened:
        await hub.host.stop()
        hub.database.close()


def health_of(hub: Hub, name: str = "pigeon") -> Health:
    return dict(hub.host.statuses())[name]


def made_by(module: str) -> list[Any]:
    """What a plug-in has made; a thread may be in the middle of importing it."""
    made: list[Any] = getattr(sys.modules[module], "MADE", [])
    return made


async def test_an_installed_frontend_is_found_made_and_given_its_settings(
    loft: Loft, hubs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HUB_PIGEON_LOFT_SIZE", "12")
    monkeypatch.setenv("HUB_TELEGRAM_TOKEN", "")
    module = loft.install(GOOD)
    hub = hubs()
    assert health_of(hub).state is HealthState.STARTING
    await hub.host.tend_once()
    assert health_of(hub).state is HealthState.OK
    [pigeon] = made_by(module)
    assert pigeon.setup.settings == {"loft_size": "12"}
    assert pigeon.setup.folder == tmp_path / "data" / "frontends" / "pigeon"
    assert pigeon.inbox is hub.inbox


async def test_what_waits_for_a_frontend_that_is_still_to_come_is_shown_by_it(
    loft: Loft, tmp_path: Path
) -> None:
    module = loft.install(GOOD)
    settings = Settings(port=0, data=tmp_path / "data")
    hub = compose(settings)
    inbound = Inbound(
        conversation=HOME,
        sender=Sender(frontend="pigeon", external_id="1", name="eve"),
        text="/start",
        dedupe="1",
        answer_waits=True,
    )
    assert await hub.inbox(inbound) == ()
    hub.database.close()
    async with running(settings):
        await until(lambda: module in sys.modules and bool(made_by(module)))
        [pigeon] = made_by(module)
        await until(lambda: bool(pigeon.shown))
        assert pigeon.shown[0].startswith("This hub does not know you.")
    assert pigeon.stops == 1


async def test_its_paths_are_served_while_it_is_up_and_its_state_is_told(
    loft: Loft, tmp_path: Path
) -> None:
    module = loft.install(GOOD)
    async with running(Settings(port=0, data=tmp_path / "data")) as hub:
        await until(lambda: hub.host.find("pigeon") is not None)
        key = hub.settings.admin_key_file.read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=hub.settings.local_url, headers=headers, trust_env=False, verify=False
        ) as client:
            assert (await client.get("/pigeon/loft")).text == "coo"
            told = (await client.get("/api/v1/status")).json()["frontends"]
            assert [(f["name"], f["state"]) for f in told] == [
                ("console", "ok"),
                ("web", "ok"),
                ("pigeon", "ok"),
            ]
            [pigeon] = made_by(module)
            pigeon.health = Health(
                state=HealthState.TROUBLED, since=pigeon.health.since, error="Fog.", hint="Wait."
            )
            told = (await client.get("/api/v1/status")).json()["frontends"]
            assert (told[2]["state"], told[2]["error"], told[2]["hint"]) == (
                "troubled",
                "Fog.",
                "Wait.",
            )


async def test_one_that_is_not_set_up_is_not_told_and_its_conversations_go_elsewhere(
    loft: Loft, hubs: Any
) -> None:
    loft.install("def make(setup):\n    return None\n")
    hub = hubs()
    assert (await hub.host.tend_once())["pigeon"] is None
    assert [name for name, _ in hub.host.statuses()] == ["console", "web"]
    assert not hub.outbox._lanes.serves(HOME)
    assert (await hub.host.tend_once())["pigeon"] is None


BREAKS = {
    "at import": ("import no_such_library_anywhere\n", "No module named 'no_such_library"),
    "with nonsense": ("def make(setup:\n", "SyntaxError"),
    "without its function": ("MADE = []\n", "AttributeError"),
    "at make": ("def make(setup):\n    raise LookupError('no loft')\n", "LookupError: no loft"),
    "by leaving": ("import sys\n\ndef make(setup):\n    sys.exit(3)\n", "tried to end the hub"),
    "at start": (
        GOOD.replace("self.inbox = inbox", "raise OSError('too windy')"),
        "OSError: too windy",
    ),
    "by leaving at start": (
        GOOD.replace("self.inbox = inbox", "raise SystemExit"),
        "tried to end the hub",
    ),
    "by cancelling at start": (
        GOOD.replace("self.inbox = inbox", "import asyncio; raise asyncio.CancelledError"),
        "tried to end the hub",
    ),
    "in status": (GOOD.replace("return self.health", "raise ValueError('dizzy')"), "dizzy"),
    "under another name": (GOOD.replace('"pigeon"', '"crow"', 1), "calls itself 'crow'"),
}


@pytest.mark.parametrize("how", BREAKS)
async def test_one_that_breaks_is_told_once_tried_again_and_leaves_the_others_alone(
    loft: Loft, hubs: Any, how: str
) -> None:
    code, expected = BREAKS[how]
    loft.install(code)
    loft.install(GOOD.replace('"pigeon"', '"dove"', 1), "dove")
    hub = hubs()
    with capture_logs() as lines:
        waits = [(await hub.host.tend_once())["pigeon"] for _ in range(4)]
    assert health_of(hub).state is HealthState.FAILED
    assert expected in health_of(hub).error
    assert health_of(hub).hint
    assert health_of(hub, "dove").state is HealthState.OK
    assert health_of(hub, "console").state is HealthState.OK
    assert [line["frontend"] for line in lines if line["event"] == "frontend_troubled"] == [
        "pigeon"
    ]
    assert all(wait is not None for wait in waits)
    firsts = [0.5, 1.0, 2.0, 4.0]
    assert all(first <= (wait or 0) for first, wait in zip(firsts, waits, strict=True))


async def test_one_that_hangs_at_start_is_let_go_and_tried_again(
    loft: Loft, tmp_path: Path
) -> None:
    module = loft.install(
        GOOD.replace("self.inbox = inbox", "import asyncio; await asyncio.Event().wait()")
    )
    hub = compose(Settings(data=tmp_path / "data"))
    hub.host._start_seconds = 0.05
    await hub.host.tend_once()
    assert health_of(hub).error == "It did not start within 0.05 s."
    await hub.host.tend_once()
    assert [pigeon.stops for pigeon in made_by(module)] == [1, 1]
    await hub.host.stop()
    hub.database.close()


async def test_one_whose_work_dies_is_stopped_and_made_anew(
    loft: Loft, hubs: Any, clock: Jumping
) -> None:
    module = loft.install(GOOD)
    hub = hubs()
    await hub.host.tend_once()
    [first] = made_by(module)
    first.health = Health(
        state=HealthState.FAILED, since=first.health.since, error="It flew away.", hint="Whistle."
    )
    clock.ahead_seconds += 60
    with capture_logs() as lines:
        await hub.host.tend_once()
        told = health_of(hub)
        assert (told.state, told.error, told.hint) == (
            HealthState.FAILED,
            "It flew away.",
            "Whistle.",
        )
        assert told.since == clock.now()
        await hub.host.tend_once()
    assert health_of(hub).state is HealthState.OK
    assert (first.stops, len(made_by(module))) == (1, 2)
    assert [line["event"] for line in lines] == ["frontend_troubled", "frontend_well"]


async def test_what_is_said_while_it_is_down_is_shown_when_it_is_back(
    loft: Loft, hubs: Any
) -> None:
    module = loft.install(GOOD)
    hub = hubs()
    await hub.host.tend_once()
    [first] = made_by(module)
    first.health = Health(state=HealthState.FAILED, since=first.health.since)
    await hub.host.tend_once()
    sender = Sender(frontend="pigeon", external_id="1", name="eve")
    inbound = Inbound(
        conversation=HOME, sender=sender, text="/start", dedupe="1", answer_waits=True
    )
    assert await hub.inbox(inbound) == ()
    assert await hub.outbox.show_once(HOME) is None
    await hub.host.tend_once()
    assert await hub.outbox.show_once(HOME) == 0
    assert len(made_by(module)[1].shown) == 1
    assert first.shown == []


async def test_a_frontend_that_ran_long_is_started_again_soon(
    loft: Loft, hubs: Any, clock: Jumping
) -> None:
    module = loft.install(GOOD)
    hub, wait = hubs(), None
    for _ in range(8):
        await hub.host.tend_once()
        pigeon = made_by(module)[-1]
        pigeon.health = Health(state=HealthState.FAILED, since=pigeon.health.since)
        wait = (await hub.host.tend_once())["pigeon"]
    assert wait is not None
    assert wait > 30
    await hub.host.tend_once()
    clock.ahead_seconds += 1000
    await hub.host.tend_once()
    made_by(module)[-1].health = Health(state=HealthState.FAILED, since=clock.now())
    wait = (await hub.host.tend_once())["pigeon"]
    assert wait is not None
    assert wait < 2


async def test_a_token_is_never_part_of_what_is_told(
    loft: Loft, hubs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_PIGEON_TOKEN", "4711:very-secret")
    code = "def make(setup):\n    raise OSError('GET /bot' + setup.settings['token'])\n"
    loft.install(code)
    hub = hubs()
    with capture_logs() as lines:
        await hub.host.tend_once()
    assert health_of(hub).error == "OSError: GET /bot***"
    assert "very-secret" not in str(lines)


@pytest.mark.parametrize("name", ["telegram", "console", "Pigeon", "two words"])
async def test_a_name_that_is_taken_or_none_is_refused_and_hides_nobody(
    loft: Loft, hubs: Any, name: str
) -> None:
    module = loft.install(GOOD, name)
    hub = hubs()
    await hub.host.tend_once()
    refused = health_of(hub, f"{module}:{name}")
    assert refused.state is HealthState.FAILED
    assert "is taken, or is none" in refused.error
    assert health_of(hub, "console").state is HealthState.OK
    assert module not in sys.modules


async def test_two_of_one_name_are_both_told_off(loft: Loft, hubs: Any) -> None:
    loft.install(GOOD)
    loft.install(GOOD)
    hub = hubs()
    await hub.host.tend_once()
    assert health_of(hub).state is HealthState.FAILED


async def test_stopping_ends_all_and_starts_none_again(loft: Loft, hubs: Any) -> None:
    module = loft.install(GOOD)
    hub = hubs()
    await hub.host.tend_once()
    await hub.host.stop()
    await hub.host.stop()
    assert {health.state for _, health in hub.host.statuses()} == {HealthState.STOPPED}
    assert (await hub.host.tend_once())["pigeon"] is None
    assert [pigeon.stops for pigeon in made_by(module)] == [1]


def test_settings_are_a_plug_ins_own_alone() -> None:
    environ = {"HUB_PIGEON_A": "1", "HUB_PIGEONS_B": "2", "HUB_DATA": "/d", "PIGEON_C": "3"}
    assert settings_of("pigeon", environ) == {"a": "1"}


def test_nothing_is_imported_by_looking(loft: Loft) -> None:
    module = loft.install("raise SystemExit\n")
    assert [maker.name for maker in plug_ins()] == ["pigeon"]
    assert module not in sys.modules


async def test_a_view_for_a_frontend_that_hangs_holds_up_no_other(
    loft: Loft, tmp_path: Path
) -> None:
    """Its lane waits for it; another frontend's goes on."""
    module = loft.install(
        GOOD.replace("self.shown.append(view.text)", "import asyncio; await asyncio.Event().wait()")
    )
    dove = loft.install(GOOD.replace('"pigeon"', '"dove"', 1), "dove")
    async with running(Settings(port=0, data=tmp_path / "data")) as hub:
        await until(lambda: hub.host.find("pigeon") is not None)
        await until(lambda: hub.host.find("dove") is not None)
        for name in ("pigeon", "dove"):
            sender = Sender(frontend=name, external_id="1", name="eve")
            await hub.inbox(
                Inbound(
                    conversation=ConversationId(f"{name}:1"),
                    sender=sender,
                    text="/start",
                    dedupe="1",
                    answer_waits=True,
                )
            )
        await until(lambda: bool(made_by(dove)[0].shown))
        assert made_by(module)[0].shown == []


async def test_doctor_names_a_frontend_that_is_down_and_what_mends_it(
    loft: Loft, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loft.install("import no_such_library_anywhere\n")
    settings = Settings(port=0, data=tmp_path / "data")
    async with running(settings) as hub:
        await until(lambda: health_of(hub).state is HealthState.FAILED)
        assert await asyncio.to_thread(examine, hub.settings, None, "") == 1
    told = capsys.readouterr().out
    assert "✓ Frontend console: ok" in told
    assert (
        "⚠ Frontend pigeon: failed. ModuleNotFoundError: No module named "
        "'no_such_library_anywhere'\n  Install what it needs, or remove it."
    ) in told


async def test_the_frontend_of_the_guide_runs_once_it_is_set_up(
    loft: Loft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = Path(__file__).parents[3] / "docs" / "frontends.md"
    [code] = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    module = loft.install(code)
    for loft_name, expected in (("", None), ("roof", HealthState.OK)):
        monkeypatch.setenv("HUB_PIGEON_LOFT", loft_name)
        hub = compose(Settings(data=tmp_path / f"data of {loft_name}"))
        await hub.host.tend_once()
        states = {name: health.state for name, health in hub.host.statuses()}
        assert states.get("pigeon") is expected
        pigeon = hub.host.find("pigeon")
        if pigeon is not None:
            await pigeon.landed("anna", 1, "/start")  # type: ignore[attr-defined]
            home = ConversationId("pigeon:anna")
            found = await hub.outbox._deliveries.next_waiting(home)
            assert found is not None
        await hub.host.stop()
        hub.database.close()
    assert module in sys.modules
