"""A real hub as a process of its own, and its owner at the API: the chat in tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from desktop.link.hub_post import ask_for, post
from desktop.system.hub_program import HOST, free_port, is_well

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30.0


class HubBeside:
    """What whoever owns the hub does on it. Every call blocks."""

    def __init__(self, base: str, key: str) -> None:
        self.base = base
        self._key = key
        self._person_id = ""

    def new_person(self, name: str = "Anna") -> None:
        """Let all that follows be about somebody new."""
        self._person_id = str(self._post("/people", {"name": name})["person_id"])

    def code(self, *, is_approved: bool = False) -> str:
        body = {"person_id": self._person_id, "is_approved": is_approved}
        return str(self._post("/invitations", body)["code"])

    def waiting(self) -> list[dict[str, object]]:
        """Computers of this person that want in."""
        told = ask_for(self.base, "/pairings", token=self._key)["pairings"]
        assert isinstance(told, list)
        return [
            one for one in told if one["person_id"] == self._person_id and one["state"] == "waiting"
        ]

    def decide(self, *, is_approved: bool) -> str:
        """Say yes or no to the one that waits; return the words it showed."""
        [one] = self.waiting()
        self._post(f"/pairings/{one['pairing_id']}/{'approve' if is_approved else 'reject'}", {})
        return str(one["words"])

    def _post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        return post(self.base, path, body, token=self._key)


@contextlib.contextmanager
def a_hub_beside(folder: Path) -> Iterator[HubBeside]:
    port = free_port()
    base = f"http://{HOST}:{port}"
    with (
        (folder / "hub.log").open("wb") as words,
        subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--until-input-ends"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=words,
            stderr=words,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HUB_DATA": str(folder / "hub"),
                "HUB_PORT": str(port),
                "HUB_NAME": "the hub beside",
            },
        ) as process,
    ):
        try:
            ends_at = time.monotonic() + PATIENCE_SECONDS
            while not is_well(base):
                assert process.poll() is None, (folder / "hub.log").read_text()
                assert time.monotonic() < ends_at
            yield HubBeside(base, (folder / "hub" / "admin.key").read_text().strip())
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)
