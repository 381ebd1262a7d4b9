"""The hub's own commands show their key to the hub they were told of, and to nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.api.client import Client
from shared.api.people import NewPerson
from shared.errors import AppError


class Visits:
    def __init__(self) -> None:
        self.paths: list[str] = []
        self.base = ""


@pytest.fixture
def visits() -> Iterator[Visits]:
    visits = Visits()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.paths.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"{visits.base}/stolen")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    visits.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield visits
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_does_not_get_the_key(visits: Visits) -> None:
    client = Client(visits.base, "dh_admin_id_secret")
    with pytest.raises(AppError) as caught:
        client.get_status()
    assert caught.value.code == "hub_unknown"
    with pytest.raises(AppError):
        client.create_person(NewPerson(name="anna"))
    assert visits.paths == ["/api/v1/status", "/api/v1/people"]
