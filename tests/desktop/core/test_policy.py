"""The owner's policy: read strictly, written readably, and nothing allowed when it is broken."""

from __future__ import annotations

import pytest

from desktop.core.code.rules import CodeRules, CustomAgent, SandboxChoice
from desktop.core.policy import DISK_FREE_BYTES_MIN, Policy, parse_policy, write_policy
from shared.errors import BadInput
from shared.jobs import Origin
from shared.kinds.code import Level


def test_what_is_written_is_read_back() -> None:
    policy = Policy(folders=("C:\\Users\\anna", 'a "quoted" folder'), slots=3)
    assert parse_policy(write_policy(policy)) == policy


def test_an_empty_file_is_the_careful_default() -> None:
    policy = parse_policy("")
    assert policy.folders == ()
    assert policy.disk_free_bytes_min == DISK_FREE_BYTES_MIN == 500 * 1024**2
    assert not policy.allows("ml.train", Origin.GROUP)
    assert not policy.allows("code.bugfix", Origin.GROUP)
    assert policy.code.level_for(Level.AUTONOMOUS, Origin.CHAT) is Level.SUPERVISED
    assert policy.allows("ml.train", Origin.CHAT)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("slots = 2\nslots = = 3\n", "line 2"),
        ("# mine\n\nslots = 'many'\n", "line 3"),
        ("folders = ['~']\nfolder = ['~/x']\n", "line 2"),
        ("slots = 1\n[kinds]\nchat = 'ml.*'\n", "line 3"),
        ("slots = 1\n[kinds]\nfriends = ['*']\n", "line 3"),
        ("memory_bytes_max = 1\n", "line 1"),
    ],
)
def test_a_broken_policy_names_its_line(text: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_policy(text)
    assert caught.value.code == "policy_invalid"
    assert line in caught.value.message
    assert caught.value.hint


def test_files_leave_for_the_owner_s_own_windows_and_chats_alone_unless_the_owner_says_more() -> (
    None
):
    assert parse_policy("").send_files == (Origin.LOCAL, Origin.CHAT)
    assert parse_policy("send_files = []").send_files == ()
    policy = Policy(send_files=(Origin.API,))
    assert parse_policy(write_policy(policy)) == policy


def test_an_origin_that_is_not_named_is_allowed_nothing() -> None:
    policy = parse_policy("[kinds]\nlocal = ['*']\n")
    assert policy.allows("ml.train", Origin.LOCAL)
    assert not any(policy.allows("ml.train", o) for o in Origin if o is not Origin.LOCAL)


@pytest.mark.parametrize("kind", ["ml.train", "ml.", "ML.train", "xml.train"])
def test_a_pattern_covers_its_family_alone(kind: str) -> None:
    policy = parse_policy("[kinds]\nchat = ['ml.*']\n")
    assert policy.allows(kind, Origin.CHAT) is kind.startswith("ml.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slots = 'many'", "slots has to be a whole number (at line 1)"),
        ("slots = -1", "slots has to be at least 0"),
        ("slots = 65", "slots has to be at most 64"),
        ("folder = []", "folder is no rule that is known"),
        ("folders = '~'", 'folders has to be a list, as in ["this"]'),
        ("folders = [1]", 'folders.0 has to be text, as in "this"'),
        ("[run]\non_battery = 'maybe'", "run.on_battery has to be true or false"),
        ("[run]\ncpu_share_max = 2", "run.cpu_share_max has to be at most 1"),
        ("[run]\ndays = ['monday']", "run.days.0 has to be one of 'mon', 'tue'"),
        ("[code]\nmodel = 'gpt-5'", 'code is odd: write model as "openai:gpt-5-mini"'),
        ("[code]\nmodels = 'x'", "code.models is no rule that is known (at line 2)"),
        ("[code]\nconcurrent = 0", "code.concurrent has to be at least 1 (at line 2)"),
        ("[code]\nsandbox = 'jail'", "code.sandbox has to be one of 'auto', 'bubblewrap'"),
        ("[code]\nsandbox = 'container'", "a sandbox in a container needs container_image"),
        ("[code]\nregistries = ['https://pypi.org']", "'https://pypi.org' under registries"),
        ("[code]\nspecializations = ['rm -rf']", "'rm -rf' under specializations"),
        ("[code]\nagent = 'Claude'", "code.agent has to be one short word of small letters"),
        (
            "[code.level_max]\nchat = 'full'",
            "code.level_max.chat has to be one of 'autonomous', 'supervised' or 'human_required'",
        ),
        ("[[code.agents]]\nname = 'mine'", "code.agents.0.command is missing (at line 1)"),
        (
            "[[code.agents]]\nname = 'a'\ncommand = ['x']\n"
            "[[code.agents]]\nname = 'a'\ncommand = ['y']",
            "code is odd: two agents have the name 'a'",
        ),
        (
            "[[code.agents]]\nname = 'a'\ncommand = ['x']\nis_headless = true",
            "the command of 'a' needs \"{prompt}\" where the task goes",
        ),
        ("[run]\nhours = 'night'", 'run.hours is odd: write hours as "08:00-18:00"'),
    ],
)
def test_a_broken_policy_is_told_in_words_for_its_owner(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_policy(text)
    assert words in caught.value.message


def test_rules_for_code_are_read_back_as_they_were_written() -> None:
    code = CodeRules(
        model="openai:gpt-5-mini",
        agent="mine",
        agents_allowed=("mine", "builtin"),
        agents=(
            CustomAgent(name="mine", command=("my-agent", "--acp"), env={"A.B": 'x "y" \x7f'}),
            CustomAgent(name="aid", command=("aider", "{prompt}"), is_headless=True),
        ),
        repositories=("https://github.com/anna/*",),
        registries=("pypi.org", "*.example.org"),
        level_max={Origin.CHAT: Level.HUMAN_REQUIRED},
        sandbox=SandboxChoice.LANDLOCK,
        tools=("~/.cargo/bin",),
        specializations=("python", "c++"),
        concurrent=4,
        keep_days=1.5,
        memory_bytes_max=1024**3,
    )
    policy = Policy(code=code)

    assert parse_policy(write_policy(policy)) == policy
    assert "[code" not in write_policy(Policy())


def test_an_origin_without_a_level_asks_for_everything() -> None:
    code = parse_policy("[code.level_max]\nlocal = 'supervised'\n").code

    assert code.level_for(Level.AUTONOMOUS, Origin.LOCAL) is Level.SUPERVISED
    assert code.level_for(Level.HUMAN_REQUIRED, Origin.LOCAL) is Level.HUMAN_REQUIRED
    assert code.level_for(Level.AUTONOMOUS, Origin.API) is Level.HUMAN_REQUIRED
