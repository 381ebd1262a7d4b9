"""A phone is lost: the account is locked from another chat, and opened at a paired computer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from desktop.__main__ import main
from tests.hub.frontends.world import open_world

pytestmark = pytest.mark.flow


async def test_a_paired_computer_opens_a_locked_account_and_no_chat_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    async with open_world(tmp_path / "hub") as world:
        services = world.hub.services
        (owner,) = await services.registry.people()
        code = (await services.pairing.invite(owner.person_id, is_approved=True)).code

        async def deskhand(*arguments: str) -> int:
            return await asyncio.to_thread(main, ["--home", str(tmp_path / "home"), *arguments])

        url = world.hub.settings.local_url
        assert await deskhand("pair", code, "--hub", url, "--name", "anna-pc") == 0
        async with world.chat() as chat:
            await chat.say("/lock")
            await chat.view(lambda view: view.text.startswith("Locked."))
            await chat.say("/train a.csv y")
            await chat.view(lambda view: "This account is locked" in view.text)
            capsys.readouterr()
            assert await deskhand("unlock") == 0
            assert capsys.readouterr().out == "Unlocked: chats can start work for me again.\n"
            await chat.view(
                lambda view: view.text == "✓ Your account was unlocked by you on anna-pc."
            )
            await chat.say("/train a.csv y")
            await chat.view(lambda view: "Queued" in view.text)


async def test_a_computer_that_was_shown_out_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    async with open_world(tmp_path / "hub") as world:
        services = world.hub.services
        (owner,) = await services.registry.people()
        code = (await services.pairing.invite(owner.person_id, is_approved=True)).code
        home = str(tmp_path / "home")
        url = world.hub.settings.local_url
        await asyncio.to_thread(main, ["--home", home, "pair", code, "--hub", url])
        (card,) = await services.views.workers(owner.person_id)
        await services.registry.revoke(owner.person_id, card.worker_id, "x")
        await services.registry.lock(owner.person_id, "x")
        assert await asyncio.to_thread(main, ["--home", home, "unlock"]) == 1
        assert "This key is wrong or was revoked" in capsys.readouterr().err
        assert (await services.registry.person(owner.person_id)).locked_at is not None
