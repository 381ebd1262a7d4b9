"""Each forge has one pull request a branch, however often it is asked; its words are no orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.code.forge import CheckState, ForgeSort, PullRequest
from desktop.core.code.forge_keys import key_name
from desktop.core.code.pr_body import BEGIN, END
from desktop.core.code.repository import Repository, of_folder, parse_repository
from desktop.jobs.code.forges import forge_for
from desktop.jobs.code.forges.detecting import detected
from desktop.jobs.code.forges.forge import Forge
from desktop.system.way import Way
from shared.errors import AppError, Conflict, NotAllowed, Unavailable
from tests.git_servers.forge_double import ForgeDouble
from tests.git_servers.http_server import GitServer
from tests.git_servers.repositories import fill, git

TOKEN = "a-token-that-nobody-may-see"
BRANCH = "deskhand/K7Q2-mend"
BODY = f"{BEGIN}\nMended.\n{END}\n"
WANTED = PullRequest(branch=BRANCH, base="main", title="Mend it", body=BODY)
SORTS = ("github", "gitlab", "gitea")


@pytest.fixture(params=SORTS)
def double(request: pytest.FixtureRequest, tmp_path: Path) -> ForgeDouble:
    return ForgeDouble(str(request.param), tmp_path / "remote", TOKEN)


@pytest.fixture
def server(double: ForgeDouble, tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "remote", forge=double) as made:
        double.web = made.url
        bare = made.repository("anna/parser")
        fill(bare, tmp_path / "first")
        git(bare, "branch", BRANCH, "main")
        yield made


@pytest.fixture
def repository(server: GitServer) -> Repository:
    return parse_repository(f"{server.url}/anna/parser.git")


@pytest.fixture
async def forge(repository: Repository) -> Forge:
    return await forge_for(repository, {key_name(repository.netloc): TOKEN}, Way())


async def test_the_sort_of_an_unknown_host_is_found_without_the_token(
    repository: Repository, double: ForgeDouble, server: GitServer
) -> None:
    assert await detected(repository, Way()) is ForgeSort(double.sort)
    assert not any(TOKEN in str(seen.headers) for seen in server.seen)


async def test_a_pull_request_is_opened_once(forge: Forge, double: ForgeDouble) -> None:
    first = await forge.create_or_update(WANTED)
    again = await forge.create_or_update(WANTED)
    assert (first.number, first.is_new) == (1, True)
    assert (again.number, again.is_new) == (1, False)
    assert len(double.requests) == 1
    assert first.url.startswith(f"{double.web}/anna/parser/")
    assert double.requests[0]["body"] == BODY


async def test_an_answer_that_was_lost_opens_no_second_one(
    forge: Forge, double: ForgeDouble
) -> None:
    double.lost = 1
    with pytest.raises(Unavailable) as caught:
        await forge.create_or_update(WANTED)
    assert caught.value.retryable
    assert not (await forge.create_or_update(WANTED)).is_new
    assert len(double.requests) == 1


async def test_what_people_wrote_around_our_words_stays(forge: Forge, double: ForgeDouble) -> None:
    await forge.create_or_update(WANTED)
    double.requests[0]["body"] = f"Mine first.\n{BODY}Mine last."
    await forge.create_or_update(replace(WANTED, body=BODY.replace("Mended", "Mended again")))
    told = double.requests[0]["body"]
    assert told.startswith("Mine first.\n")
    assert "Mended again" in told
    assert told.endswith("Mine last.")


async def test_a_description_without_our_marks_is_left_alone(
    forge: Forge, double: ForgeDouble
) -> None:
    await forge.create_or_update(WANTED)
    double.requests[0]["body"] = "All mine."
    await forge.create_or_update(WANTED)
    assert double.requests[0]["body"] == "All mine."


async def test_a_forks_branch_of_the_same_name_is_another(
    forge: Forge, double: ForgeDouble
) -> None:
    double.add("anna/parser", BRANCH, body="evil", fork="mallory/parser")
    opened = await forge.create_or_update(WANTED)
    assert opened.is_new
    assert opened.number == 2
    assert double.requests[0]["body"] == "evil"


async def test_one_is_found_among_many(forge: Forge, double: ForgeDouble) -> None:
    for number in range(120):
        double.add("anna/parser", f"other-{number}")
    double.add("anna/parser", BRANCH, body=BODY)
    assert not (await forge.create_or_update(WANTED)).is_new


async def test_a_branch_that_was_not_pushed_is_refused_in_the_forges_words(
    forge: Forge,
) -> None:
    with pytest.raises(Conflict, match="Validation Failed; head: invalid") as caught:
        await forge.create_or_update(replace(WANTED, branch="deskhand/none"))
    assert caught.value.code == "forge_refused"


@pytest.mark.parametrize(
    ("status", "code", "is_retryable"),
    [
        (401, "forge_auth", False),
        (403, "forge_auth", False),
        (404, "forge_not_found", False),
        (301, "forge_not_found", False),
        (429, "forge_busy", True),
        (503, "forge_busy", True),
    ],
)
async def test_a_refusal_says_what_to_do_and_never_the_token(
    forge: Forge, double: ForgeDouble, status: int, code: str, is_retryable: bool
) -> None:
    double.statuses = [status] * 3
    with pytest.raises(AppError) as caught:
        await forge.create_or_update(WANTED)
    assert (caught.value.code, caught.value.retryable) == (code, is_retryable)
    assert caught.value.hint
    assert TOKEN not in str(caught.value.body)


async def test_a_wrong_token_is_told(repository: Repository) -> None:
    wrong = await forge_for(repository, {key_name(repository.netloc): "wrong-token-1"}, Way())
    with pytest.raises(NotAllowed) as caught:
        await wrong.create_or_update(WANTED)
    assert "wrong-token-1" not in str(caught.value)


async def test_the_token_stands_in_no_address_and_follows_no_redirect(
    forge: Forge, server: GitServer, double: ForgeDouble, tmp_path: Path
) -> None:
    await forge.create_or_update(WANTED)
    assert not any(TOKEN in seen.target for seen in server.seen)
    with GitServer(tmp_path / "elsewhere") as evil:
        server.before = lambda seen: (302, {"Location": f"{evil.url}/api"}, b"")
        with pytest.raises(AppError):
            await forge.create_or_update(WANTED)
        assert not evil.seen


@pytest.mark.parametrize("body", [b"", b"[1, 2]", b"<html>", b"[" * 100_000, b"{}", b"null"])
async def test_an_answer_of_another_shape_is_told_as_odd(
    forge: Forge, server: GitServer, body: bytes
) -> None:
    server.before = lambda seen: (200, {}, body)
    with pytest.raises(Unavailable) as caught:
        await forge.create_or_update(WANTED)
    assert caught.value.code == "forge_odd"


async def test_an_endless_answer_is_cut_off(forge: Forge, server: GitServer) -> None:
    server.before = lambda seen: (200, {}, b" " * 5 * 1024**2)
    with pytest.raises(Unavailable) as caught:
        await forge.create_or_update(WANTED)
    assert caught.value.code == "forge_unreachable"


async def test_an_address_elsewhere_is_not_passed_on(forge: Forge, double: ForgeDouble) -> None:
    double.web = "https://evil.example"
    assert (await forge.create_or_update(WANTED)).url == forge.url(WANTED)


@pytest.mark.parametrize(
    ("ends", "state", "failed"),
    [
        ([], CheckState.NONE, ()),
        (["success"], CheckState.GOOD, ()),
        (["success", "pending"], CheckState.RUNNING, ()),
        (["success", "failed", "pending"], CheckState.FAILED, ("check 1",)),
    ],
)
async def test_checks_are_put_together(
    forge: Forge, double: ForgeDouble, ends: list[str], state: CheckState, failed: tuple[str, ...]
) -> None:
    bad = {"gitlab": "failed"}.get(double.sort, "failure")
    double.checks = [
        {
            "name": f"check {number}",
            "status": "queued" if end == "pending" else "completed",
            "conclusion": bad if end == "failed" else end,
        }
        for number, end in enumerate(ends)
    ]
    checks = await forge.checks("0" * 40)
    assert (checks.state, checks.failed) == (state, failed)


async def test_comments_are_words_and_nothing_else(forge: Forge, double: ForgeDouble) -> None:
    double.comments = [{"body": "also \x1b[2Jthis", "user": {"login": "anna"}, "created_at": "1"}]
    (comment,) = await forge.comments(1)
    assert (comment.author, comment.text) == ("anna", "also \ufffd[2Jthis")


# Without a token.


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("a/b", f"https://github.com/a/b/compare/main...{BRANCH}"),
        ("https://forgejo.h.example/a/b", f"https://forgejo.h.example/a/b/compare/main...{BRANCH}"),
        ("https://h.example/a/b", ""),
    ],
)
async def test_without_a_token_the_branch_is_what_there_is(text: str, url: str) -> None:
    plain = await forge_for(parse_repository(text), {"OTHER": "x"}, Way())
    opened = await plain.create_or_update(WANTED)
    assert opened.url == url
    assert "deskhand keys" in opened.sentence


async def test_gitlab_opens_a_merge_request_at_the_push_without_a_token() -> None:
    plain = await forge_for(parse_repository("git@gitlab.com:a/b"), {}, Way())
    assert plain.push_options(WANTED)[:2] == ("merge_request.create", "merge_request.target=main")
    opened = await plain.create_or_update(WANTED)
    assert opened.url == f"https://gitlab.com/a/b/-/compare/main...{BRANCH}"
    assert "merge request" in opened.sentence


async def test_a_token_goes_to_no_host_but_its_own() -> None:
    keys = {"GITHUB_TOKEN": TOKEN, "GITLAB_TOKEN": TOKEN, "GITEA_TOKEN": TOKEN}
    other = await forge_for(parse_repository("https://gitlab.evil.example/a/b"), keys, Way())
    assert "no token" in (await other.create_or_update(WANTED)).sentence


async def test_a_folder_has_no_forge(tmp_path: Path) -> None:
    plain = await forge_for(of_folder(str(tmp_path)), {}, Way())
    assert (await plain.create_or_update(WANTED)).url == ""
