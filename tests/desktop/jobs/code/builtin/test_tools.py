"""Every tool of the built-in agent, with what files, models and commands can do to it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from desktop.core.llm.message import ToolCall
from desktop.jobs.code.builtin.tools import commands, files, folder, looking
from desktop.jobs.code.builtin.tools.folder import Folder
from desktop.jobs.code.builtin.tools.looking import Pattern
from desktop.jobs.code.builtin.tools.offered import TOOLS, offered
from desktop.jobs.code.builtin.tools.outcome import Outcome, ToolFault
from desktop.jobs.code.builtin.tools.toolbox import Toolbox, read_arguments
from tests.desktop.jobs.code.builtin.processes import is_gone


@pytest.fixture
def here(tmp_path: Path) -> Folder:
    (tmp_path / "clone").mkdir()
    return Folder(tmp_path / "clone")


def put(here: Folder, name: str, content: bytes | str) -> Path:
    path = here.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


async def call(here: Folder, name: str, **arguments: object) -> Outcome:
    box = Toolbox(here)
    told = ToolCall(id="1", name=name, arguments=json.dumps(arguments))
    return await box.do(box.prepare(told))


# The folder.


@pytest.mark.parametrize(
    "name", ["../out", "/etc/passwd", "a/../../out", "link/x", "file-link", "", "a\0b", "x" * 5000]
)
@pytest.mark.parametrize("will_write", [False, True], ids=["read", "write"])
def test_a_path_that_leads_out_is_refused(here: Folder, name: str, will_write: bool) -> None:
    outside = here.root.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (here.root / "link").symlink_to(outside)
    (here.root / "file-link").symlink_to(outside / "secret")
    with pytest.raises(ToolFault):
        here.find(name, will_write=will_write)


@pytest.mark.parametrize("name", [".git/config", ".git/hooks/pre-push", "a/.git/config"])
def test_what_is_gits_own_is_not_written(here: Folder, name: str) -> None:
    put(here, name, "[core]\n")
    assert here.find(name).is_file()
    with pytest.raises(ToolFault, match=r"\.git"):
        here.find(name, will_write=True)


def test_a_link_within_the_folder_is_followed(here: Folder) -> None:
    put(here, "a/real.py", "x\n")
    (here.root / "l.py").symlink_to("a/real.py")
    assert here.shown(here.find("l.py")) == "a/real.py"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
async def test_a_pipe_is_no_file_and_holds_nobody_up(here: Folder) -> None:
    os.mkfifo(here.root / "pipe")
    async with asyncio.timeout(5):
        with pytest.raises(ToolFault, match="no plain file"):
            await call(here, "read", path="pipe")
        assert "Nothing" in (await call(here, "grep", pattern="x")).text


# Reading.


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\nb\n", "     1\ta\n     2\tb"),
        ("a", "     1\ta\n[no line end after the last line]"),
        ("a\r\nb\r\n", "     1\ta\n     2\tb\n[lines end with CRLF; edit keeps that by itself]"),
        ("grün 🙂\x0c\u2028x\n", "     1\tgrün 🙂\x0c\u2028x"),
        (
            b"caf\xe9\n",
            "     1\tcaf\ufffd\n[not all of it is UTF-8: \ufffd stands for other bytes]",
        ),
        ("", "'f' is empty."),
        (b"\x7fELF\0\0", "'f' is a binary file of 6 bytes."),
        ("\n\n", "     1\t\n     2\t"),
    ],
    ids=range(8),
)
async def test_a_file_is_shown_with_numbers(
    here: Folder, content: bytes | str, expected: str
) -> None:
    put(here, "f", content)
    assert (await call(here, "read", path="f")).text == expected


async def test_a_long_file_is_read_in_parts(here: Folder) -> None:
    put(here, "f", "".join(f"line {n}\n" for n in range(1, 10_001)))
    first = (await call(here, "read", path="f")).text
    assert first.endswith("[lines 1-2000 of 10000; go on with offset 2001]")
    part = (await call(here, "read", path="f", offset=9999, limit=50)).text
    assert part == "  9999\tline 9999\n 10000\tline 10000"
    with pytest.raises(ToolFault, match="10000 lines"):
        await call(here, "read", path="f", offset=10_001)


async def test_one_endless_line_is_cut(here: Folder) -> None:
    put(here, "f", "x" * 3_000_000)
    text = (await call(here, "read", path="f")).text
    assert len(text) < files.LINE_CHARS_MAX + 100
    assert "line cut" in text


async def test_a_huge_file_is_not_read_whole(here: Folder) -> None:
    with (here.root / "f").open("wb") as file:
        file.truncate(50 * 1024**3)
    with pytest.raises(ToolFault, match="sed -n"):
        await call(here, "read", path="f")


@pytest.mark.parametrize(("name", "words"), [("no", "no file"), ("sub", "folder")])
async def test_what_is_no_file_is_told(here: Folder, name: str, words: str) -> None:
    (here.root / "sub").mkdir()
    with pytest.raises(ToolFault, match=words):
        await call(here, "read", path=name)


# Changing.


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("a = 1\n", "1", "2", "a = 2\n"),
        ("a\r\nb\r\nc\r\n", "a\nb", "x\ny", "x\r\ny\r\nc\r\n"),
        ("a\r\nb\r\n", "a\r\nb", "x", "x\r\n"),
        ("ä 🙂\n", "🙂", "☹", "ä ☹\n"),
        (b"caf\xe9 = 1\n", "1", "2", b"caf\xe9 = 2\n"),
        ("no end", "end", "more", "no more"),
        ("\ufeffa\n", "a", "b", "\ufeffb\n"),
        ("x(y)[z]\\1\n", "x(y)[z]\\1", "\\g<0>", "\\g<0>\n"),
        ("keep\ngone\n", "gone\n", "", "keep\n"),
    ],
    ids=range(9),
)
async def test_a_piece_is_replaced_and_all_else_stays_to_the_byte(
    here: Folder, before: bytes | str, old: str, new: str, after: bytes | str
) -> None:
    path = put(here, "f", before)
    await call(here, "edit", path="f", old=old, new=new)
    assert path.read_bytes() == (after.encode() if isinstance(after, str) else after)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nothing", "x", "Read the file again"),
        ("a\n", "x", r"2 times in 'f' \(lines 1, 3\)"),
        ("  if x:\n    y()", "z", "Only its blanks differ; from line 4"),
        ("if x:\n  z()", "z", "Its first line is line 4"),
        ("a", "a", "the same"),
        ("", "x", "use `write`"),
        ("if x", "\ud800", "half characters"),
    ],
    ids=range(7),
)
async def test_an_edit_that_cannot_be_made_says_why(
    here: Folder, old: str, new: str, words: str
) -> None:
    content = "a\nb\na\nif x:\n\ty()\n"
    path = put(here, "f", content)
    with pytest.raises(ToolFault, match=words):
        await call(here, "edit", path="f", old=old, new=new)
    assert path.read_text() == content


async def test_every_place_is_replaced_when_that_is_said(here: Folder) -> None:
    path = put(here, "f", "a a a\n")
    await call(here, "edit", path="f", old="a", new="b", replace_all=True)
    assert path.read_text() == "b b b\n"


async def test_a_new_file_gets_its_folders(here: Folder) -> None:
    text = (await call(here, "write", path="a/b/new.py", content="x\n")).text
    assert (here.root / "a/b/new.py").read_text() == "x\n"
    assert text == "Written: 'a/b/new.py' is new, 1 lines."
    assert [p.name for p in (here.root / "a/b").iterdir()] == ["new.py"]


async def test_a_written_file_keeps_its_mode_and_its_link(here: Folder) -> None:
    path = put(here, "tool.sh", "#!/bin/sh\n")
    path.chmod(0o755)
    (here.root / "link").symlink_to("tool.sh")
    await call(here, "write", path="link", content="#!/bin/sh\nexit 1\n")
    assert path.stat().st_mode & 0o777 == 0o755
    assert (here.root / "link").is_symlink()
    assert path.read_text().endswith("exit 1\n")


async def test_a_file_that_was_changed_meanwhile_is_not_overwritten(here: Folder) -> None:
    path = put(here, "f", "one\n")
    box = Toolbox(here)
    told = json.dumps({"path": "f", "old": "one", "new": "two"})
    prepared = box.prepare(ToolCall(id="1", name="edit", arguments=told))
    path.write_text("somebody else's\n")
    with pytest.raises(ToolFault, match="changed meanwhile"):
        await box.do(prepared)


async def test_a_folder_is_not_overwritten_and_a_binary_file_not_edited(here: Folder) -> None:
    (here.root / "sub").mkdir()
    put(here, "bin", b"\0\1")
    with pytest.raises(ToolFault, match="folder"):
        await call(here, "write", path="sub", content="x")
    with pytest.raises(ToolFault, match="binary"):
        await call(here, "edit", path="bin", old="x", new="y")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_a_folder_without_leave_is_told(here: Folder) -> None:
    here.root.chmod(0o500)
    with pytest.raises(ToolFault, match="cannot be written"):
        await call(here, "write", path="x", content="x")


# Looking.


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("def add", "def add(a, b):", True),
        ("add(a", "def add(a, b):", True),
        ("^def", "def add", True),
        ("^add", "def add", False),
        ("add$", "def add", True),
        ("def$", "def add", False),
        ("^def add$", "def add", True),
        ("^def$", "def add", False),
        ("^a.*a$", "aba", True),
        ("^a.*a$", "a", False),
        ("foo|add", "def add", True),
        ("foo|bar", "def add", False),
        ("import .*json", "from x import y, json", True),
        ("def \\w+\\(", "def add(a)", True),
        ("a\\.b", "a.b", True),
        ("a\\.b", "axb", False),
        ("\\bclass\\b", "a class of", True),
        (".*", "anything", False),
        ("x|", "y", False),
        ("(a+)+$", "x (a+)+$ y", True),
    ],
)
def test_a_pattern_finds_what_it_says(pattern: str, line: str, expected: bool) -> None:
    assert Pattern.of(pattern, ignore_case=False).is_in(line) is expected


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    for pattern in ("(a+)+$", "a.*" * 100 + "b", "(x|" * 50, "^(([a-z])+.)+[A-Z]([a-z])+$"):
        Pattern.of(pattern, ignore_case=True).is_in("a" * 100_000)
    # Not a measurement: what `re` makes of these patterns takes years.
    assert time.process_time() - began < 20


async def test_lines_are_found_with_their_places(here: Folder) -> None:
    put(here, "a/one.py", "x\ndef Add():\r\n")
    put(here, "two.txt", "add\n")
    put(here, "node_modules/three.py", "add\n")
    put(here, ".git/four.py", "add\n")
    put(here, "bin", b"add\0")
    (here.root / "five.py").symlink_to("/etc/passwd")
    assert (await call(here, "grep", pattern="add")).text == "two.txt:1: add"
    folded = await call(here, "grep", pattern="ADD", ignore_case=True)
    assert set(folded.text.splitlines()) == {"a/one.py:2: def Add():", "two.txt:1: add"}
    globbed = await call(here, "grep", pattern="add", glob="*.py", ignore_case=True)
    assert globbed.text == "a/one.py:2: def Add():"
    assert (await call(here, "grep", pattern="add", path="two.txt")).text == "two.txt:1: add"
    assert "grep -rnE" in (await call(here, "grep", pattern="[xyz]+q")).text


async def test_too_many_matches_and_files_are_cut(here: Folder) -> None:
    put(here, "many", "x\n" * 1000)
    assert (await call(here, "grep", pattern="x")).text.count("\n") == looking.MATCHES_MAX
    for number in range(looking.ENTRIES_MAX + 10):
        put(here, f"d{number % 3}/{number}", "")
    assert "d0/ (137 files)" in (await call(here, "list")).text
    assert (await call(here, "list", path="d1", glob="1")).text == "d1/1"


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("", "a/x.py\na/y.txt\nz.py"),
        ("*.py", "a/x.py\nz.py"),
        ("**/*.py", "a/x.py\nz.py"),
        ("a/*", "a/x.py\na/y.txt"),
        ("*.rs", "No file fits '*.rs'."),
    ],
)
async def test_files_are_listed(here: Folder, glob: str, expected: str) -> None:
    for name in ("a/x.py", "a/y.txt", "z.py"):
        put(here, name, "")
    assert sorted((await call(here, "list", glob=glob)).text.split("\n")) == sorted(
        expected.split("\n")
    )


# Commands.


@pytest.mark.parametrize(
    ("command", "text", "is_error"),
    [
        ("echo out; echo err >&2", "out\nerr", False),
        ("exit 3", "(no output)\n[exit status 3]", True),
        ("kill -9 $$", "(no output)\n[signal 9]", True),
        ("printf 'a\\033[31mred\\033[0m\\007\\r\\n'", "ared", False),
        ("cat", "(no output)", False),
        ("printf '\\377'", "\ufffd", False),
        ("pwd; test -t 1 || echo $TERM", "HERE\ndumb", False),
    ],
    ids=range(7),
)
async def test_a_command_is_run(here: Folder, command: str, text: str, is_error: bool) -> None:
    outcome = await call(here, "run", command=command)
    assert outcome.text == text.replace("HERE", str(here.root))
    assert outcome.is_error is is_error


async def test_much_output_keeps_its_beginning_and_its_end(here: Folder) -> None:
    command = f"{sys.executable} -c \"print('first'); print('x' * 9_000_000); print('last')\""
    text = (await commands.run(here, command)).text
    assert text.startswith("first\n")
    assert text.endswith("\nlast")
    assert "bytes left out" in text
    assert len(text) < commands.HEAD_BYTES_MAX + commands.TAIL_BYTES_MAX + 100


async def test_a_command_that_takes_too_long_is_ended_with_its_children(here: Folder) -> None:
    text = "trap '' TERM; sleep 300 & echo $!; wait"
    outcome = await commands.run(here, text, 1)
    assert outcome.text.endswith("[ended after 1 s, which is the limit]")
    assert is_gone(int(outcome.text.split("\n")[0]))


async def test_what_a_command_left_running_is_ended_and_not_waited_for(here: Folder) -> None:
    async with asyncio.timeout(10):
        outcome = await commands.run(here, "sleep 300 & echo $!")
    assert is_gone(int(outcome.text))


@pytest.mark.parametrize("command", ["", "  ", "a\0b", "x" * 30_000], ids=range(4))
async def test_what_is_no_command_is_refused(here: Folder, command: str) -> None:
    with pytest.raises(ToolFault):
        await commands.run(here, command)


# Arguments, in all the ways in which models write them.


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("read", '{"path": "a", "limit": "20"}', {"path": "a", "limit": 20}),
        ("read", '{"file_path": "a", "offset": 3.0}', {"path": "a", "offset": 3}),
        ("read", '"{\\"path\\": \\"a\\"}"', {"path": "a"}),
        ("read", '{"path": "a", "limit": null, "x": 1}', {"path": "a"}),
        (
            "edit",
            '{"path": "a", "old_string": "x", "new_string": "", "replace_all": "true"}',
            {"path": "a", "old": "x", "new": "", "replace_all": True},
        ),
        (
            "ask_human",
            '{"question": "q", "options": "only"}',
            {"question": "q", "options": ["only"]},
        ),
        ("write", '{"path": "a", "content": 7}', {"path": "a", "content": "7"}),
        ("list", "", {}),
    ],
    ids=range(8),
)
def test_arguments_are_taken_as_they_are_meant(name: str, told: str, expected: object) -> None:
    assert read_arguments(TOOLS[name], told) == expected


@pytest.mark.parametrize(
    ("name", "told", "words"),
    [
        ("read", "{", "no JSON"),
        ("read", "[]", "one JSON object"),
        ("read", "{}", "needs path"),
        ("read", '{"path": ["a"]}', "of the type string"),
        ("read", '{"path": "a", "limit": "many"}', "of the type integer"),
        ("read", "[" * 100_000, "no JSON"),
        ("edit", '{"path": "a"}', "needs old, new"),
    ],
    ids=range(7),
)
def test_arguments_that_do_not_fit_are_told(name: str, told: str, words: str) -> None:
    with pytest.raises(ToolFault, match=words):
        read_arguments(TOOLS[name], told)


def test_a_tool_that_is_not_offered_cannot_be_used(here: Folder) -> None:
    box = Toolbox(here, ("read", "submit"))
    assert [tool.name for tool in box.tools] == ["read", "list", "plan", "submit"]
    with pytest.raises(ToolFault, match="no tool 'write'"):
        box.prepare(ToolCall(id="1", name="write", arguments='{"path": "a", "content": ""}'))


def test_all_tools_together_cost_few_tokens() -> None:
    told = json.dumps([[tool.name, tool.description, tool.schema] for tool in offered()])
    assert len(told) < 3000


def test_no_file_is_larger_than_what_is_read() -> None:
    assert folder.FILE_BYTES_MAX < 2**24
