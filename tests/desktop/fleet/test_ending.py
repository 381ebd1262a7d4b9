"""What ends a node is told in the shape of its log."""

from __future__ import annotations

import pytest

from desktop.fleet.__main__ import main


def test_what_ends_a_node_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "--json-logs"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert '"event": "program ended"' in line
