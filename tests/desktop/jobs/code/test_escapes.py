"""Nothing that an attacker tries gets out of a box, and outside of one nearly all of it works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.jobs.code.sandbox import choose_now
from desktop.jobs.code.sandbox.relaying import free_port
from shared.errors import Unavailable
from tests.desktop.jobs.code.escape.attempts import ATTEMPTS
from tests.desktop.jobs.code.escape.world import Outside, can_be_another, new_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the boxes of Linux")

NOBODY = 65534
BY_MACHINE = {
    "connect_by_ipv6", "connect_by_multipath_tcp", "connect_by_sending_first",
    "reach_the_machine_below", "use_the_persons_keyring", "get_a_ring_that_no_filter_sees",
    "make_a_user_namespace", "make_a_user_namespace_by_clone3", "keep_a_process_to_one_core",
    "write_an_attribute_of_a_file", "pull_the_systems_levers", "look_into_the_kernels_memory",
    "trace_a_process", "read_memory_by_proc", "read_memory_by_process_vm_readv",
    "take_a_descriptor_of_a_process", "become_another_by_a_program_of_the_system",
}  # fmt: skip
"""Some kernels and containers hold these back by themselves, whoever tries."""
OF_ROOT = {
    "give_a_file_to_another_group", "read_by_a_files_handle", "ping_by_a_raw_socket",
    "make_a_packet_socket", "mount_what_is_hidden", "mount_by_the_new_calls", "change_the_root",
    "make_a_device", "open_a_device", "have_the_kernel_start_a_program", "write_into_sys",
    "load_a_program_into_the_kernel",
}  # fmt: skip
"""These need root outside, too, and not in every container is root allowed to."""
USERS = [pytest.param(None, id="ourselves"), pytest.param(NOBODY, id="nobody")]


@pytest.fixture
def folder() -> Iterator[Path]:
    yield from new_folder()


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("sandbox", [SandboxChoice.BUBBLEWRAP, SandboxChoice.LANDLOCK])
def test_nothing_gets_out_of_a_box(sandbox: SandboxChoice, user: int | None, folder: Path) -> None:
    port = _port(sandbox, user)
    with Outside(folder, user=user, port=port) as outside:
        said = outside.attack(sandbox)

        assert said.keys() == ATTEMPTS.keys()
        assert {name: it for name, it in said.items() if outside.succeeded(name, it)} == {}


@pytest.mark.parametrize("user", USERS)
def test_without_a_box_the_same_attempts_succeed(user: int | None, folder: Path) -> None:
    _needs(user)
    with Outside(folder, user=user, port=free_port()) as outside:
        said = outside.attack(SandboxChoice.NONE)

        held = {name for name, it in said.items() if not outside.succeeded(name, it)}
        assert held - BY_MACHINE - OF_ROOT == set()


def test_there_are_enough_attempts_that_work_everywhere() -> None:
    assert len(ATTEMPTS.keys() - BY_MACHINE - OF_ROOT) >= 40


def _port(sandbox: SandboxChoice, user: int | None) -> int:
    _needs(user)
    try:
        return choose_now(CodeRules(sandbox=sandbox)).port()
    except Unavailable as error:
        pytest.skip(str(error))


def _needs(user: int | None) -> None:
    if user is not None and not can_be_another(user):
        pytest.skip("the worker's code cannot be run as another user here")
