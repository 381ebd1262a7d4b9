"""What a work order names is found where the owner allows it; nothing of a person is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.code.repository import Scheme
from desktop.jobs.code.git import Git
from desktop.jobs.code.places import Place, find_place, uncommitted
from shared.errors import AppError, BadInput, NotAllowed, NotFound
from tests.desktop.core.code.hostile_names import REPOSITORIES
from tests.git_servers.repositories import git, work_copy, write
from tests.git_servers.yard import Yard


async def _place(folder: Path, text: str) -> Place:
    allowed = folder / "allowed"
    return await find_place(
        Git(folder / "home"), text, folders=[allowed], patterns=["https://github.com/anna/*"]
    )


def _has_run(folder: Path) -> bool:
    return any(folder.rglob("pwned"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return work_copy(tmp_path / "allowed" / "parser")


async def test_a_folder_is_found_by_path_and_by_name(tmp_path: Path, own: Path) -> None:
    for text in (str(own), "parser", f"{own}/", f"file://{own}"):
        place = await _place(tmp_path, text)
        assert place.source.path == str(own)
        assert place.target == place.source


async def test_an_allowed_folder_is_found_by_its_own_name(tmp_path: Path, own: Path) -> None:
    place = await find_place(Git(tmp_path / "home"), "parser", folders=[own], patterns=[])
    assert place.source.path == str(own)


async def test_a_url_is_taken_as_the_owner_allows(tmp_path: Path) -> None:
    place = await _place(tmp_path, "anna/parser")
    assert place.source.url == "https://github.com/anna/parser"
    with pytest.raises(NotAllowed):
        await _place(tmp_path, "mallory/parser")


async def test_a_folder_elsewhere_is_refused(tmp_path: Path, own: Path) -> None:
    elsewhere = work_copy(tmp_path / "elsewhere")
    (tmp_path / "allowed" / "link").symlink_to(elsewhere)
    for text in (str(elsewhere), "link", f"{own}/../../elsewhere", f"file://{elsewhere}"):
        with pytest.raises(NotAllowed, match="in no folder"):
            await _place(tmp_path, text)


async def test_a_git_folder_elsewhere_is_refused(tmp_path: Path) -> None:
    """A folder from the internet may say that its .git is the person's other repository."""
    private = work_copy(tmp_path / "private")
    trap = tmp_path / "allowed" / "trap"
    trap.mkdir(parents=True)
    (trap / ".git").write_text(f"gitdir: {private / '.git'}\n")
    with pytest.raises(NotAllowed):
        await _place(tmp_path, "trap")
    (trap / ".git").unlink()
    (trap / ".git").symlink_to(private / ".git")
    with pytest.raises(NotAllowed):
        await _place(tmp_path, "trap")


async def test_what_is_no_repository_is_told(tmp_path: Path, own: Path) -> None:
    for text in ("parser/tests", "none", str(own / "tests")):
        with pytest.raises((NotFound, NotAllowed)):
            await _place(tmp_path, text)
    (tmp_path / "allowed" / "plain").mkdir()
    with pytest.raises(NotFound, match="no git repository"):
        await _place(tmp_path, "plain")


async def test_a_repository_that_fetches_its_rest_by_itself_is_refused(
    tmp_path: Path, own: Path
) -> None:
    git(own, "config", "remote.x.promisor", "true")
    git(own, "config", "remote.x.uploadpack", f"touch {tmp_path / 'pwned'}")
    with pytest.raises(NotAllowed) as caught:
        await _place(tmp_path, "parser")
    assert caught.value.code == "repository_partial"
    assert not (tmp_path / "pwned").exists()


async def test_a_branch_goes_to_the_folders_own_origin(tmp_path: Path, own: Path) -> None:
    git(own, "remote", "add", "origin", "git@github.com:mallory/parser.git")
    place = await _place(tmp_path, "parser")
    assert place.target.scheme is Scheme.SSH
    assert place.target.url == "git@github.com:mallory/parser.git"


async def test_an_origin_beside_it_is_found(tmp_path: Path, own: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(own), "allowed/parser.git")
    git(own, "remote", "add", "origin", "../parser.git")
    assert (await _place(tmp_path, "parser")).target.path == f"{tmp_path}/allowed/parser.git"


@pytest.mark.parametrize(
    "url", ["ext::sh -c id", "http://h.example/x", "https://a:b@h.example/x", "/etc", "--x", "-u"]
)
async def test_an_origin_that_cannot_be_taken_keeps_the_branch_here(
    tmp_path: Path, own: Path, url: str
) -> None:
    git(own, "config", "remote.origin.url", url)
    place = await _place(tmp_path, "parser")
    assert place.target == place.source
    assert "stays in the folder" in place.notes[0]
    assert "a:b" not in place.notes[0]


async def test_no_hostile_name_comes_through(tmp_path: Path, own: Path) -> None:
    for name in REPOSITORIES:
        with pytest.raises(BadInput):
            await _place(tmp_path, name)
    assert not _has_run(tmp_path)


async def test_what_is_not_committed_is_counted_and_left_alone(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    own = tmp_path / "allowed" / "parser"
    work_copy(own)
    place = await _place(tmp_path, "parser")
    mirror = await yard.mirrors.refreshed(place.source)
    scratch = tmp_path / "scratch"
    assert await uncommitted(yard.git, place, mirror, scratch) == 0
    write(own, {"parser.py": b"half\n", "new.py": b"x\n", "staged.py": b"y\n", "build/x": b"z"})
    git(own, "add", "staged.py")
    index = (own / ".git" / "index").read_bytes()
    trace = tmp_path / "pwned"
    git(own, "config", "core.fsmonitor", f"touch {trace}")
    git(own, "config", "filter.x.clean", f"touch {trace}; cat")
    write(own, {".gitattributes": b"* filter=x\n"})
    assert await uncommitted(yard.git, place, mirror, scratch) == 4
    assert (own / ".git" / "index").read_bytes() == index
    assert (own / "parser.py").read_bytes() == b"half\n"
    assert not trace.exists()
    assert not scratch.exists()


async def test_a_folder_of_another_branch_begins_there(tmp_path: Path, own: Path) -> None:
    git(own, "checkout", "-q", "-b", "mine")
    place = await _place(tmp_path, "parser")
    assert (await Yard(tmp_path).mirrors.refreshed(place.source)).default == "mine"


async def test_errors_are_of_the_persons_words(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        await _place(tmp_path, "no such folder")
    assert "no such folder" in caught.value.message
