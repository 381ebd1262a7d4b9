"""What jobs of this worker are run with by its policy: folders, limits, keys, endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from desktop.agent.setup import Setup
from desktop.core.code.forge_keys import forge_keys
from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.locality import kept_local
from desktop.core.policy import MEMORY_SHARE_DEFAULT, Policy
from desktop.core.run_policy import cores_max
from desktop.core.web.rules import search_keys
from desktop.runner.lines import Supplied
from desktop.runner.workshop import Workshop
from desktop.runner.workspaces import Workspaces
from desktop.system import hardware
from shared.kinds import Kind


def folders_of(policy: Policy) -> tuple[Path, ...]:
    """Return the folders that jobs may read and write, in full."""
    return tuple(Path(folder).expanduser().resolve() for folder in policy.folders)


def workshop_of(
    setup: Setup, kinds: Mapping[str, Kind], executors: Mapping[str, str], workspaces: Workspaces
) -> Workshop:
    policy, paths = setup.policy, setup.paths
    return Workshop(
        kinds=kinds,
        kinds_at=setup.kinds_at,
        executors=executors,
        jobs_folder=paths.jobs,
        workspaces=workspaces,
        models_folder=paths.models,
        data_folder=paths.data,
        profile=paths.home,
        folders=folders_of(policy),
        worker_id=setup.pairing.worker_id,
        send_files=policy.send_files,
        memory_bytes_max=policy.memory_bytes_max
        or int(hardware.memory_total_bytes() * MEMORY_SHARE_DEFAULT),
        threads_max=1,
        cores_max=cores_max(policy.run, hardware.cores()),
    )


def supplied_for_code(setup: Setup) -> Supplied:
    """Read what a coding job works with: it alone gets the tokens of forges."""
    return _supplied(setup, forge_keys(setup.policy.code))


def supplied_for_many(setup: Setup) -> Supplied:
    """Read what jobs of the shared child work with; research is among them."""
    return _supplied(setup, search_keys(setup.policy.web))


def _supplied(setup: Setup, more_keys: Iterable[str]) -> Supplied:
    """Read what jobs that call models work with; it blocks."""
    rules = setup.policy.llm
    endpoints = with_built_in(rules.endpoints)
    if rules.local_only:
        endpoints = kept_local(endpoints)
    # A key that nobody may use now is handed to nobody.
    names = {one.key_name for one in endpoints if one.key_name and not one.is_barred}
    keys = setup.seams.read_keys(sorted(names.union(more_keys)), setup.paths)
    return Supplied(
        keys=dict(keys),
        endpoints=endpoints,
        send_text=rules.send_text,
        network=setup.policy.network,
        code=setup.policy.code,
        web=setup.policy.web,
    )
