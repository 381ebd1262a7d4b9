"""`deskhand keys`: of language models, forges and search engines: list, set, remove.

A key comes from the terminal without being echoed, or from standard input; never as an argument,
which other programs of the machine could read.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Collection, Mapping

from desktop.commands.printing import say, say_json, say_table
from desktop.commands.worker import EXIT_OK
from desktop.core.code.forge_keys import forge_keys
from desktop.core.llm.endpoints import with_built_in
from desktop.core.llm.types import Endpoint
from desktop.core.providers import KEY_CHARS_MAX, checked_key
from desktop.core.safe import MISSING, SafeTrouble
from desktop.core.web.rules import SEARCH_KEYS
from desktop.system.credentials import load_secret, remove_secret, save_secret
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from shared.errors import BadInput, NotFound


def run(paths: Paths, options: argparse.Namespace) -> int:
    policy = load_policy(paths)
    endpoints, forges = with_built_in(policy.llm.endpoints), forge_keys(policy.code)
    match options.do:
        case "set":
            set_key(paths, key_name(options.name, endpoints, forges), forges)
        case "remove":
            remove_key(paths, key_name(options.name, endpoints, forges))
        case _:
            needed = {**_needed_by(endpoints), **_forges(forges), **_searches()}
            show(paths, needed, is_json=options.json)
    return EXIT_OK


def key_name(
    name: str | None, endpoints: tuple[Endpoint, ...], forges: Mapping[str, tuple[str, ...]]
) -> str:
    """Return the name of the key that a person means: by its own name, or by who needs it.

    Args:
        name: as typed; a forge's host stands for its key, too.
        endpoints: of models.
        forges: their keys by name, and the hosts that each is for.

    Raises:
        BadInput: `key_unknown`.
    """
    wanted = (name or "").casefold()
    for endpoint in endpoints:
        names = (endpoint.key_name, endpoint.name, endpoint.label)
        if endpoint.key_name and wanted in (one.casefold() for one in names if one):
            return endpoint.key_name
    for forge, hosts in forges.items():
        if wanted in (forge.casefold(), *hosts):
            return forge
    for search, key in SEARCH_KEYS.items():
        if wanted in (key.casefold(), search.value):
            return key
    known = ", ".join((*_needed_by(endpoints), *forges, *SEARCH_KEYS.values()))
    what = f"Nothing here needs a key “{name}”." if name else "Which key?"
    raise BadInput(
        "key_unknown",
        what,
        f"Known: {known}. Others are named in the policy: as key_name of a model's endpoint, or by "
        "the host of a pattern in [code] repositories.",
    )


def set_key(paths: Paths, name: str, forges: Collection[str] = ()) -> None:
    """Keep a key in place of the last one.

    Raises:
        BadInput: `key_odd`.
    """
    key = checked_key(_read(name))
    paths.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    where = save_secret(key, entry=name, file=paths.key_file(name))
    tries = "" if name in forges or name in SEARCH_KEYS.values() else " deskhand doctor tries it."
    say(f"{name} is kept in {where}. Jobs use it from now on.{tries}")


def remove_key(paths: Paths, name: str) -> None:
    """Remove a key.

    Raises:
        NotFound: `key_not_set`.
        SafeTrouble: it may still be in the safe.
    """
    file = paths.key_file(name)
    if load_secret(entry=name, file=file) is None:
        raise NotFound("key_not_set", f"No key {name} is kept here.", "deskhand keys lists them.")
    was_in_file = file.exists()
    try:
        remove_secret(entry=name, file=file)
    except SafeTrouble as trouble:
        # Where there is no safe, the file was all there was.
        if not was_in_file or trouble.code != MISSING:
            raise
    rest = " It is in the environment, too, and counts from there." if name in os.environ else ""
    say(f"{name} is removed.{rest}")


def show(paths: Paths, needed: Mapping[str, str], *, is_json: bool) -> None:
    """List which keys are here, and who needs them: `needed` by the keys' names."""
    places = {name: _place(paths, name) for name in needed}
    if is_json:
        say_json([{"name": n, "for": needed[n], "place": places[n] or None} for n in needed])
        return
    rows = [[name, needed[name], places[name] or "not set"] for name in needed]
    say_table(("KEY", "FOR", "WHERE"), rows, wide=1)


def _place(paths: Paths, name: str) -> str:
    file = paths.key_file(name)
    if file.exists():
        return "file"
    if load_secret(entry=name, file=file) is not None:
        return "safe"
    return "environment" if os.environ.get(name, "").strip() else ""


def _needed_by(endpoints: tuple[Endpoint, ...]) -> Mapping[str, str]:
    """Return the names of keys, each with who needs it."""
    needed: dict[str, list[str]] = {}
    for endpoint in endpoints:
        if endpoint.key_name:
            needed.setdefault(endpoint.key_name, []).append(endpoint.label or endpoint.name)
    return {name: ", ".join(dict.fromkeys(who)) for name, who in needed.items()}


def _forges(forges: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    return {name: f"git at {', '.join(hosts)}" for name, hosts in forges.items()}


def _searches() -> Mapping[str, str]:
    return {key: f"searching with {search.value.title()}" for search, key in SEARCH_KEYS.items()}


def _read(name: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{name} (it is not shown): ")
    return sys.stdin.readline(KEY_CHARS_MAX * 2)
