"""A worker's own client at the hub's real desk, with a code that is approved already."""

from __future__ import annotations

from desktop.link.pairing import Introduction, ask, wait_for_token
from desktop.store.facts import Pairing
from desktop.system.device_key import DeviceKey, make_key
from shared.environment import Environment


def join(base: str, code: str, name: str, key: DeviceKey | None = None) -> tuple[Pairing, str]:
    """Pair as a new machine; return the pairing and the token."""
    key = key or make_key()
    introduction = Introduction(name=name, platform="Test 1", app_version="0", capabilities=())
    asked = ask(base, code, introduction, key)
    return wait_for_token(asked, key, environment=Environment())
