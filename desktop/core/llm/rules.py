"""The table `[llm]` of the policy file: where models are asked, and what may be sent there.

    [llm]
    send_text = ["local"]
    local_only = true

    [[llm.endpoints]]
    name = "house"
    base_url = "http://192.168.1.20:8080/v1"
    is_local = true
    models = ["qwen3"]

Only the machine's owner writes it; a job names endpoints and never brings one along.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from desktop.core.llm.types import Endpoint
from shared.jobs import Origin
from shared.kinds import JsonObject
from shared.loopback import is_loopback

ENDPOINTS_MAX = 100
_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_OWN_NAMES = (".local", ".lan", ".internal", ".home.arpa")
"""Endings of names that no public server has (RFC 6762, RFC 8375, and the usual ones)."""


class LlmRules(BaseModel):
    """What the owner says about language models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoints: tuple[Endpoint, ...] = Field(default=(), max_length=ENDPOINTS_MAX)
    """Besides the built-in ones; one of the same name takes its place."""
    send_text: tuple[Origin, ...] = ()
    """For whom a file's text may go to a model elsewhere without a question."""
    local_only: bool = False
    """No job of this machine calls a model that is not local."""
    find_local: bool = True
    """Model servers on this machine, and local ones named here, are looked for and told of."""

    @model_validator(mode="before")
    @classmethod
    def _know_this_machine(cls, told: object) -> object:
        """What listens on this machine itself is local without a word."""
        if not isinstance(told, dict) or not isinstance(told.get("endpoints"), list | tuple):
            return told
        return told | {"endpoints": [_with_place(one) for one in told["endpoints"]]}

    @model_validator(mode="after")
    def _are_fit(self) -> LlmRules:
        names = [endpoint.name for endpoint in self.endpoints]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two endpoints have the name {name!r}")
        for endpoint in self.endpoints:
            if fault := fault_of(endpoint):
                raise ValueError(f"the endpoint {endpoint.name!r}: {fault}")
        return self


def fault_of(endpoint: Endpoint) -> str:
    """Return what is wrong with an endpoint, in words; empty when nothing is."""
    parts = _split(endpoint.base_url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return 'write base_url as "https://host/v1"'
    if parts.username or parts.password or parts.query or parts.fragment:
        # It stands in logs and messages.
        return "a key does not belong into base_url; name it with key_name"
    if endpoint.key_name and not _KEY_NAME.fullmatch(endpoint.key_name):
        return 'key_name is the name of a key, as in "OPENAI_API_KEY", not the key itself'
    if endpoint.is_local and _is_public(parts.hostname):
        return f"{parts.hostname} is an address of the internet, so it cannot be local"
    is_own = endpoint.is_local or is_own_network(parts.hostname)
    if endpoint.key_name and parts.scheme == "http" and not is_own:
        return "its key would travel for everybody to read; use https"
    return ""


def is_own_network(host: str) -> bool:
    """Return whether a host is this machine, or looks like one of its owner's own network."""
    if is_loopback(host):
        return True
    address = _address(host)
    if address is None:
        return "." not in host or host.lower().endswith(_OWN_NAMES)
    return not address.is_global and not address.is_unspecified


def _is_public(host: str) -> bool:
    """Whether it is certainly elsewhere; what a name stands for is its owner's to say."""
    address = _address(host)
    return address is not None and address.is_global


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _with_place(told: object) -> object:
    if not isinstance(told, dict) or "is_local" in told:
        return told
    address: JsonObject = told
    parts = _split(str(address.get("base_url", "")))
    is_here = parts is not None and is_loopback(parts.hostname or "")
    return {**address, "is_local": is_here}


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_fit = parts.port != 0
    except ValueError:
        return None
    return parts if is_fit else None
