"""A person who keeps asking over REST, and asks again until the hub has acknowledged."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import httpx

CALL_SECONDS = 5.0


class Person:
    """The owner of a hub, with the key of its own machine."""

    def __init__(self, hub_data: Path, port: int) -> None:
        self._key_file = hub_data / "admin.key"
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            timeout=CALL_SECONDS,
            trust_env=False,
            # A hub closes a line that was quiet for 5 s: one must not be taken again just then.
            limits=httpx.Limits(keepalive_expiry=2),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def is_answered(self) -> bool:
        """Whether the hub is there."""
        try:
            return self._http.get("/health", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def ask(self, key: str, kind: str, inputs: dict[str, object]) -> str | None:
        """Ask for a job; its id once the hub has acknowledged it, None when nobody can know."""
        body: dict[str, object] = {"kind": kind, "inputs": inputs}
        told = self._try("POST", "/tasks", body, {"Idempotency-Key": key})
        return None if told is None else str(told["job_id"])

    def answer(self, question_id: str, reply: str) -> bool:
        """Answer a question; whether it is answered for certain, by this or before."""
        path = f"/questions/{question_id}/answer"
        try:
            told = self._call("POST", path, {"reply": reply})
        except httpx.HTTPError:
            return False
        return told.status_code == 200

    def cancel(self, job_id: str) -> None:
        self._try("POST", f"/jobs/{job_id}/cancel", {}, ok=(200, 202, 404, 409))

    def retry(self, job_id: str) -> None:
        self._try("POST", f"/jobs/{job_id}/retry", {}, ok=(200, 404, 409))

    def revoke(self, worker_id: str) -> None:
        self._call("DELETE", f"/workers/{worker_id}").raise_for_status()

    def invite(self) -> str:
        """Get a code that lets one machine in."""
        answer = self._call("POST", "/invitations", {"is_approved": True})
        answer.raise_for_status()
        return str(answer.json()["code"])

    def job(self, job_id: str) -> dict[str, object]:
        """A job as the hub shows it; empty when the hub knows none by that id."""
        answer = self._call("GET", f"/jobs/{job_id}")
        if answer.status_code == 404:
            return {}
        answer.raise_for_status()
        told: dict[str, object] = answer.json()
        return told

    def questions(self) -> list[dict[str, object]]:
        """Every question that waits for an answer."""
        answer = self._call("GET", "/questions")
        answer.raise_for_status()
        told: list[dict[str, object]] = answer.json()["questions"]
        return told

    def _try(
        self,
        method: str,
        path: str,
        body: dict[str, object],
        headers: dict[str, str] | None = None,
        ok: tuple[int, ...] = (200, 201),
    ) -> dict[str, object] | None:
        try:
            answer = self._call(method, path, body, headers)
        except httpx.HTTPError:
            return None
        if answer.status_code == 503:  # it says itself that it may be tried again
            return None
        assert answer.status_code in ok, answer.text
        told: dict[str, object] = answer.json() if answer.content else {}
        return told

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        key = self._key_file.read_text().strip()
        return self._http.request(
            method,
            path,
            json=body,
            headers={"Authorization": f"Bearer {key}", **(headers or {})},
        )
