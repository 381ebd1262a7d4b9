"""Settings of Matrix, and what is kept of a login: checked before anything is sent anywhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hub.frontends.matrix import make
from hub.frontends.matrix.kept import THREADS_MAX, Kept, Shelf
from hub.frontends.matrix.options import Options, read_options
from hub.frontends.matrix.session import Session, load_session, save_session
from hub.ports import FrontendSetup
from hub.services.taps import TapNames
from shared.environment import Environment
from shared.errors import BadInput, NotFound
from tests.hub.worlds import World

ACCOUNT = {"user": "@deskhand:example.org", "password": "secret"}


class NoFiles:
    async def path(self, sha256: str) -> Path:
        raise NotFound("file_gone", sha256)


def setup_of(store: World, folder: Path, **settings: str) -> FrontendSetup:
    return FrontendSetup(
        environment=Environment(),
        hub_name="hub.example",
        hub_url="https://hub.example",
        settings=settings,
        folder=folder,
        taps=TapNames(store.database, store.environment, b"pepper"),
        files=NoFiles(),
        arrived=lambda _: None,
    )


def test_without_a_homeserver_there_is_no_frontend(store: World, tmp_path: Path) -> None:
    assert make(setup_of(store, tmp_path, homeserver=" ")) is None


@pytest.mark.parametrize(
    "homeserver",
    ["https://matrix.example.org/", "http://localhost:8008", "http://synapse:8008",
     "http://192.168.1.7:8008", "http://[::1]:8008"],
    ids=["tls", "here", "container", "home", "ipv6"],
)  # fmt: skip
def test_an_address_is_taken(store: World, tmp_path: Path, homeserver: str) -> None:
    options = read_options(setup_of(store, tmp_path, homeserver=homeserver, **ACCOUNT))
    assert options.homeserver == homeserver.rstrip("/")


@pytest.mark.parametrize(
    "homeserver",
    ["http://matrix.example.org", "http://8.8.8.8", "https://a:b@example.org",
     "https://example.org/path", "https://example.org?x=1", "ftp://example.org", "https://[",
     "example.org", "https://example.org:x"],
    ids=["no tls", "no tls, number", "login", "path", "query", "scheme", "broken", "name", "port"],
)  # fmt: skip
def test_an_address_that_would_not_do_is_refused(
    store: World, tmp_path: Path, homeserver: str
) -> None:
    with pytest.raises(BadInput) as raised:
        read_options(setup_of(store, tmp_path, homeserver=homeserver, **ACCOUNT))
    assert raised.value.code == "matrix_homeserver_invalid"


@pytest.mark.parametrize("user", ["", "@anna", "anna@example.org", "@a b:example.org"])
def test_an_account_that_is_none_is_refused(store: World, tmp_path: Path, user: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_options(setup_of(store, tmp_path, homeserver="https://example.org", user=user))
    assert raised.value.code == "matrix_account_missing"


def options_of(user: str = "@deskhand:example.org", token: str = "") -> Options:
    return Options(
        homeserver="https://example.org", user=user, password="", token=token, device_name="x"
    )


def a_session(token: str = "kept", *, is_given: bool = False) -> Session:
    return Session(
        homeserver="https://example.org", user_id="@deskhand:example.org", device_id="D",
        token=token, pickle_key="k", is_given=is_given,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "session", "fits"),
    [
        (options_of(), a_session(), True),
        (options_of("deskhand"), a_session(), True),
        (options_of("@other:example.org"), a_session(), False),
        (options_of("", "given"), a_session("given", is_given=True), True),
        (options_of("", "other"), a_session("given", is_given=True), False),
        (options_of(), a_session("given", is_given=True), False),
    ],
    ids=["same", "short name", "other account", "token", "other token", "token taken back"],
)
def test_a_session_is_used_for_its_account_alone(
    tmp_path: Path, options: Options, session: Session, fits: bool
) -> None:
    save_session(tmp_path, session)
    assert stat.S_IMODE((tmp_path / "session.json").stat().st_mode) == 0o600
    assert (load_session(tmp_path, options) is not None) == fits
    assert "kept" not in repr(session)


async def test_what_is_kept_is_one_accounts_and_survives_nonsense(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept = shelf.load("@a:example.org")
    kept.place = "s1"
    kept.note_thread("!r", "task", "$root")
    await shelf.save(kept)
    assert shelf.load("@a:example.org").place == "s1"
    assert shelf.load("@a:example.org").task_of("!r", "$root") == "task"
    assert shelf.load("@a:example.org").task_of("!other", "$root") == ""
    assert shelf.load("@b:example.org").place == ""
    (tmp_path / "state.json").write_text("{")
    assert shelf.load("@a:example.org").place == ""


def test_threads_are_not_kept_for_ever() -> None:
    kept = Kept()
    for number in range(THREADS_MAX + 5):
        kept.note_thread("!r", str(number), f"${number}")
    assert len(kept.threads) == THREADS_MAX
    assert kept.thread("!r", "0") == ""
    assert kept.thread("!r", str(THREADS_MAX + 4)) == f"${THREADS_MAX + 4}"
