"""A box shows the system and what the job needs; each sandbox is told the same in its own words."""

from __future__ import annotations

import marshal
from pathlib import Path

import pytest

from desktop.core.code import bubblewrap, container, landlock, seatbelt
from desktop.core.code.box import Box, BoxLimits
from desktop.core.code.ground import (
    HOME_SECRETS,
    TOOLS,
    check_box,
    environment,
    is_secret,
    outermost,
    search_path,
)
from desktop.core.code.limits import limited, limits_of
from desktop.core.code.seccomp import MACHINES
from shared.errors import BadInput
from tests.desktop.core.code.boxes import BOX, CLONE, DATA, GROUND, HOME, box

ARGV = ("agent", "--acp")


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(box(workdir=HOME), id="the person's home"),
        pytest.param(box(workdir=Path("/")), id="everything"),
        pytest.param(box(workdir=Path("/home")), id="all homes"),
        pytest.param(box(workdir=DATA), id="the worker's data"),
        pytest.param(box(workdir=HOME / ".local"), id="around the worker's data"),
        pytest.param(box(read_only=(HOME,)), id="the person's home to be read"),
        pytest.param(box(workdir=Path("clone")), id="a relative path"),
        pytest.param(box(workdir=CLONE / ".." / ".."), id="a path with dots"),
        pytest.param(box(workdir=HOME / ".venv/lib"), id="the worker's Python"),
        pytest.param(box(workdir=Path("/usr")), id="the system"),
        pytest.param(box(read_only=(CLONE / "mirror",)), id="a mirror in the clone"),
        pytest.param(box(gateway=CLONE / "gateway.sock"), id="a socket in the clone"),
        pytest.param(box(gateway=BOX.home / "gateway.sock"), id="a socket in the home"),
        pytest.param(box(writable=(HOME,)), id="one more folder that is the home"),
    ],
)
def test_a_box_that_would_uncover_something_is_refused_by_every_sandbox(refused: Box) -> None:
    machine = MACHINES["x86_64"]
    for told in (
        lambda: check_box(refused, GROUND),
        lambda: bubblewrap.arguments(refused, GROUND, ARGV, has_sizes=True),
        lambda: landlock.wall(refused, GROUND, machine),
        lambda: seatbelt.profile(refused, GROUND),
        lambda: _contained(refused),
    ):
        with pytest.raises(BadInput) as caught:
            told()
        assert caught.value.code == "box_path"


@pytest.mark.parametrize("name", HOME_SECRETS)
def test_no_rule_of_the_owner_shows_what_is_secret(name: str) -> None:
    assert is_secret(HOME / name, HOME)
    assert is_secret((HOME / name).parent, HOME)


@pytest.mark.parametrize("name", TOOLS)
def test_known_tool_chains_are_no_secret(name: str) -> None:
    assert not is_secret(HOME / name, HOME)


def test_the_search_path_leads_to_what_can_be_seen_alone() -> None:
    assert search_path(GROUND, BOX) == f"{HOME}/.cargo/bin:/usr/bin:/bin"


def test_the_environment_is_an_allow_list_and_the_box_has_the_last_word() -> None:
    told = environment(GROUND, box(env={"LANG": "C", "TOKEN": "x"}), temporary=Path("/t"))

    assert told["HOME"] == str(BOX.home)
    assert told["TMPDIR"] == "/t"
    assert (told["LANG"], told["TOKEN"]) == ("C", "x")
    assert str(HOME / "secret") not in "".join(told.values())


def test_nothing_of_a_job_is_loaded_into_what_starts_before_the_box() -> None:
    evil = {"LD_PRELOAD": "/x.so", "LD_AUDIT": "/x.so", "DYLD_INSERT_LIBRARIES": "/x", "OK": "1"}

    told = environment(GROUND, box(env=evil), temporary=Path("/t"))

    assert told["OK"] == "1"
    assert not [name for name in told if name.startswith(("LD_", "DYLD_"))]


def test_of_paths_within_each_other_the_outer_one_is_kept() -> None:
    assert outermost([Path("/a/b"), Path("/a"), Path("/ab"), Path("/a")]) == (
        Path("/a"),
        Path("/ab"),
    )


# --- bubblewrap ----------------------------------------------------------------------------------


def _wrapped(of: Box = BOX, *, has_sizes: bool = True) -> list[str]:
    return bubblewrap.arguments(of, GROUND, ARGV, has_sizes=has_sizes)


def _mounts(told: list[str]) -> list[tuple[str, str]]:
    """Return what is put where, in its order."""
    verbs = {"--ro-bind": 2, "--bind": 2, "--dev-bind": 2, "--ro-bind-try": 2, "--tmpfs": 1}
    return [(it, told[n + verbs[it]]) for n, it in enumerate(told) if it in verbs]


def test_bubblewrap_shows_nothing_but_what_is_named() -> None:
    places = {place for _, place in _mounts(_wrapped())}

    assert {str(HOME), "/home", "/root", "/", "/var", "/run", "/mnt", str(DATA)} & places == set()


def test_bubblewrap_makes_what_is_around_before_what_is_inside() -> None:
    order = [place for _, place in _mounts(_wrapped())]

    assert order.index("/etc") < order.index("/etc/shadow")
    for inner in (str(CLONE), str(BOX.gateway)):
        assert order.index("/tmp") < order.index(inner)


def test_bubblewrap_lets_the_clone_and_the_home_alone_be_written() -> None:
    writable = [place for verb, place in _mounts(_wrapped()) if verb == "--bind"]

    assert sorted(writable) == sorted([str(CLONE), str(BOX.home)])


def test_a_writable_folder_in_another_is_no_mount_of_its_own() -> None:
    """The job before may have put a link to anywhere in its place."""
    told = _wrapped(box(writable=(BOX.home / ".cache",)))

    assert str(BOX.home / ".cache") not in {place for _, place in _mounts(told)}


def test_bubblewrap_has_every_wall_and_ends_with_its_starter() -> None:
    told = _wrapped()

    assert {
        "--unshare-user", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
        "--die-with-parent", "--new-session", "--seccomp", "--cap-drop",
    } <= set(told)  # fmt: skip
    assert told[-3:] == ["--", *ARGV]
    assert "--share-net" not in told


def test_an_older_bubblewrap_is_not_told_sizes() -> None:
    assert "--size" in _wrapped()
    assert "--size" not in _wrapped(has_sizes=False)


def test_no_variable_stands_in_the_arguments() -> None:
    """Whoever is on the machine can read the list of processes."""
    told = _wrapped(box(env={"TOKEN": "of the gateway"}))

    assert "of the gateway" not in " ".join(told)


# --- Landlock ------------------------------------------------------------------------------------


def _wall(of: Box = BOX) -> landlock.Wall:
    return landlock.wall(of, GROUND, MACHINES["x86_64"])


def test_landlock_names_what_lies_beside_a_secret_instead_of_the_folder() -> None:
    wall = _wall()

    assert "/etc" not in wall.read
    assert {"/etc/passwd", "/etc/ssl/certs", "/usr"} <= set(wall.read)
    assert not any("shadow" in path or "private" in path for path in (*wall.read, *wall.look))


def test_landlock_writes_the_clone_and_the_home_alone() -> None:
    assert sorted(_wall().write) == sorted([str(CLONE), str(BOX.home)])


def test_landlock_knows_the_gateways_port_only_where_there_is_a_gateway() -> None:
    assert _wall().port == BOX.port
    assert _wall(box(gateway=None)).port == 0


def test_the_wall_survives_its_text() -> None:
    told = marshal.loads(bytes.fromhex(_wall().to_text()))

    assert told["write"] == _wall().write
    assert bytes.fromhex(told["filter"])
    assert told["referred"]["42"] == "connect"


# --- macOS ---------------------------------------------------------------------------------------


def test_seatbelt_denies_first_and_shows_no_home() -> None:
    told = seatbelt.profile(BOX, GROUND)

    assert told.startswith("(version 1)\n(deny default)")
    assert f'(subpath "{HOME}")' not in told
    assert f'(subpath "{DATA}")' not in told


def test_seatbelt_hides_secrets_after_it_has_shown_what_is_around_them() -> None:
    told = seatbelt.profile(BOX, GROUND)

    assert told.index('(subpath "/etc")') < told.index("(deny file-read*")
    assert told.index("(deny file-read*") < told.index('(subpath "/etc/shadow")')


def test_seatbelt_has_the_one_port_or_no_network_at_all() -> None:
    with_gateway = seatbelt.profile(BOX, GROUND)
    without = seatbelt.profile(box(gateway=None), GROUND)

    assert with_gateway.count("network") == 1
    assert f'(remote ip "localhost:{BOX.port}")' in with_gateway
    assert "network" not in without


def test_a_path_cannot_add_a_rule_to_the_profile() -> None:
    evil = DATA / 'x")) (allow default) (allow file-read* (subpath "/'

    told = seatbelt.profile(box(workdir=evil / "\\"), GROUND)

    assert _depth_is_whole(told)
    assert "(allow default)" not in _outside_of_texts(told)


def _outside_of_texts(profile: str) -> str:
    """Return what a reader of the rules sees when quoted texts are taken out."""
    kept, is_text, is_escaped = [], False, False
    for letter in profile:
        if is_escaped:
            is_escaped = False
        elif is_text and letter == "\\":
            is_escaped = True
        elif letter == '"':
            is_text = not is_text
        elif not is_text:
            kept.append(letter)
    assert not is_text
    return "".join(kept)


def _depth_is_whole(profile: str) -> bool:
    told = _outside_of_texts(profile)
    return told.count("(") == told.count(")")


# --- containers ----------------------------------------------------------------------------------


def _contained(of: Box, engine: str = "podman", ids: tuple[int, int] = (1000, 1000)) -> list[str]:
    return container.arguments(
        of, GROUND, ARGV, engine=engine, image="ours", ids=ids, names=("TOKEN",)
    )


def test_a_container_has_no_network_no_rights_and_a_root_that_is_read_only() -> None:
    told = " ".join(_contained(BOX))

    for words in ("--network none", "--read-only", "--cap-drop ALL", "no-new-privileges",
                  "--pull never", "--rm"):  # fmt: skip
        assert words in told
    assert told.endswith("ours agent --acp")


def test_a_container_gets_names_of_variables_and_no_values() -> None:
    told = _contained(box(env={"TOKEN": "of the gateway"}))

    assert told[told.index("--env") + 1] == "TOKEN"
    assert "of the gateway" not in " ".join(told)


def test_a_container_shows_the_mirror_read_only_and_nothing_of_the_system() -> None:
    told = _contained(BOX)
    mounts = [told[n + 1] for n, word in enumerate(told) if word == "--mount"]

    mirror = str(BOX.read_only[0])
    assert f"type=bind,source={mirror},target={mirror},readonly" in mounts
    assert not any("source=/usr" in mount or "source=/etc" in mount for mount in mounts)


def test_what_a_container_writes_belongs_to_the_person() -> None:
    assert "keep-id" in _contained(BOX)
    assert "keep-id" not in _contained(BOX, engine="docker")
    assert "1000:1000" in _contained(BOX, engine="docker")


def test_a_comma_in_a_path_adds_no_option_to_a_mount() -> None:
    told = _contained(box(workdir=DATA / "a,readonly=false"))

    assert f'type=bind,"source={DATA}/a,readonly=false",' in " ".join(told)


# --- limits --------------------------------------------------------------------------------------


def test_limits_are_never_asked_above_our_own() -> None:
    told = limited(ARGV, BoxLimits(open_files_max=5000), {"nofile": 1024})

    assert "--nofile=1024" in told
    assert told[-3:] == ["--", *ARGV]


def test_where_processes_of_the_person_are_counted_along_they_come_on_top() -> None:
    assert "--nproc=150" in limited(ARGV, BoxLimits(processes_max=50), {}, processes_now=100)


def test_memory_is_no_limit_of_a_process() -> None:
    """Sanitizers reserve terabytes that they never touch."""
    assert {"as", "data", "rss"} & limits_of(BoxLimits()).keys() == set()
