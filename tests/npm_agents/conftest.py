"""Leaves these tests out unless they are asked for by their mark: `pytest -m agents`."""

from __future__ import annotations

import pytest

from tests.npm_agents.installed import installed


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "agents" in config.getoption("markexpr"):
        return
    left_out = [item for item in items if item.get_closest_marker("agents")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def _agents_on_the_path() -> None:
    """Agents are found where a person's shell would find them."""
    installed()
