"""Whether language models can be asked: endpoints, the keys they need, and how they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.types import Endpoint
from desktop.core.policy import Policy
from desktop.doctor.finding import Finding, well, wrong
from desktop.jobs.llm.health import Checked, Health
from desktop.system.paths import Paths
from desktop.system.provider_keys import read_keys
from desktop.system.way import Way
from shared.kinds.llm import HealthLine

POLICY_HINT = "Start it, or mend its entry under [llm] in the policy."


def examine_models(paths: Paths, policy: Policy) -> Iterator[Finding]:
    """Tell of the owner's endpoints, of makers whose key is here, and of servers that run here."""
    endpoints = with_built_in(policy.llm.endpoints)
    names = sorted({endpoint.key_name for endpoint in endpoints if endpoint.key_name})
    keys = read_keys(names, paths)
    yield _keys(keys)
    asked = Checked(
        endpoints=endpoints,
        keys=keys,
        data_folder=paths.data,
        way=Way(policy.network),
    )
    hints = {endpoint.name: _hint(endpoint, keys) for endpoint in policy.llm.endpoints}
    for line in asyncio.run(Health().endpoints(asked)):
        yield from _finding(line, hints.get(line.name))


def _keys(names: Iterable[str]) -> Finding:
    if told := ", ".join(sorted(names)):
        return well("models", f"Keys for language models: {told}")
    return well("models", "No key for language models is kept here; servers of your own need none")


def _hint(endpoint: Endpoint, keys: Mapping[str, str]) -> str:
    """Say what to do about an endpoint of the owner's that is not well."""
    if endpoint.key_name and endpoint.key_name not in keys:
        return f"Keep its key here: deskhand keys set {endpoint.key_name}"
    return POLICY_HINT


def _finding(line: HealthLine, own_hint: str | None) -> Iterator[Finding]:
    """Word a line; what is built in and not used here is no news."""
    sentence = line.sentence.rstrip(".")
    if line.is_good:
        yield well("models", sentence)
    elif line.is_good is False or own_hint is not None:
        yield wrong("models", sentence, own_hint or "")
