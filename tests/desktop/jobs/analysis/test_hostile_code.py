"""What a hostile model's code tries in its box: nothing outside changes, nothing gets out."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.analysis.results import RESULT_BYTES_MAX
from desktop.core.code.rules import CodeRules
from desktop.jobs.analysis.boxed import LIMITS, Room, compute
from desktop.jobs.code.sandbox import choose_now
from shared.errors import BadInput

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap"),
]
SECRET = '{"numbers": [{"name": "the person\'s own", "value": 4711}]}'
"""Fit to be taken for results, if anybody read it."""
HANDED = 'out.number("n", 1)\n'


@pytest.fixture
def room(tmp_path: Path) -> Room:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "secret.txt").write_text(SECRET)
    table = tmp_path / "files" / "a.csv"
    table.write_text("a,b\n" + "".join(f"{n},{n * 2}\n" for n in range(50)))
    (tmp_path / "job").mkdir()
    sandbox = choose_now(CodeRules(), guarded=(tmp_path / "data",))
    assert sandbox.name == "bubblewrap"
    return Room(sandbox=sandbox, folder=tmp_path / "job", tables={"a": table}, seconds_max=40.0)


async def said(room: Room, code: str) -> str:
    """Run code that fails; return what is told to its writer."""
    with pytest.raises(BadInput) as caught:
        await compute(room, code)
    return caught.value.message


async def test_there_is_no_network(room: Room) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        heard: list[object] = []

        def listen() -> None:
            while not heard:
                try:
                    heard.append(server.accept())
                except TimeoutError:
                    continue
                except OSError:
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        port = server.getsockname()[1]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\n"
        told = await said(room, code)
        names = await said(room, "import socket\nsocket.getaddrinfo('example.org', 80)\n")
        was_heard = list(heard)
        heard.append(None)
        thread.join(5)
    assert was_heard == []
    assert "Error" in told
    assert "gaierror" in names


async def test_files_of_the_person_are_not_there(room: Room) -> None:
    table = room.tables["a"]
    home = Path.home()
    secrets = (table.parent / "secret.txt", home / ".ssh", room.folder / "replies.jsonl")
    paths = ["/etc/shadow", *map(str, secrets)]
    code = f"""
import os, pathlib
seen = []
for path in {paths!r}:
    try:
        seen.append(str(pathlib.Path(path).read_bytes()[:20]))
    except OSError as error:
        pass
names = sorted(os.listdir({str(table.parent)!r}))
home = [n for n in os.listdir({str(home)!r})] if os.path.isdir({str(home)!r}) else []
out.table("seen", pd.DataFrame({{"seen": [repr(seen)], "names": [repr(names)]}}))
"""
    (room.folder / "replies.jsonl").write_text(SECRET)
    results = await compute(room, code)
    seen, names = results.tables[0].rows[0]
    assert seen in ("[]", "[\"b''\"]")
    assert names == "['a.csv']"


async def test_nothing_outside_can_be_written(room: Room) -> None:
    table = room.tables["a"]
    before = table.read_bytes()
    code = (
        HANDED
        + f"""
import os, shutil
for path in ({str(table)!r}, {str(table.parent / "new.txt")!r}, "/etc/new", "/usr/new",
             {str(room.folder / "box" / "order" / "order.json")!r}, {str(room.folder / "new")!r}):
    for way in ("w", "a"):
        try:
            open(path, way).write("evil")
        except OSError:
            pass
    for act in (os.unlink, shutil.rmtree):
        try:
            act(path)
        except OSError:
            pass
"""
    )
    await compute(room, code)
    assert table.read_bytes() == before
    assert sorted(one.name for one in table.parent.iterdir()) == ["a.csv", "secret.txt"]
    assert [one.name for one in room.folder.iterdir()] == ["box"]


async def test_a_fork_bomb_ends_with_its_box(room: Room) -> None:
    short = replace(room, seconds_max=15.0)
    told = await said(
        short,
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
    )
    assert told
    assert _of_the_box(room) == []


def _of_the_box(room: Room) -> list[str]:
    mark = str(room.folder).encode()
    found = [one for one in Path("/proc").iterdir() if one.name.isdigit()]
    return [one.name for one in found if mark in _command(one)]


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


async def test_a_flood_on_the_disk_is_stopped(room: Room) -> None:
    writing = "for _ in range(2000):\n    flood.write(b'0' * 1_000_000)\n"
    code = f"flood = open('flood', 'wb')\n{writing}"
    told = await said(room, code)
    assert told
    assert (room.out / "flood").stat().st_size <= LIMITS.file_bytes_max


async def test_memory_without_end_is_stopped(room: Room) -> None:
    small = replace(room, limits=replace(LIMITS, memory_bytes_max=400 * 1024**2))
    told = await said(small, "x = []\nwhile True:\n    x.append(bytearray(50_000_000))\n")
    assert "memory" in told.lower()


async def test_who_never_ends_is_ended(room: Room) -> None:
    short = replace(room, seconds_max=6.0)
    assert "took longer than 6 s" in await said(short, "while True:\n    pass\n")


LEFT = {
    "a link to a secret": "import os\nos.symlink({secret!r}, 'results.json')\nos._exit(0)\n",
    "a link to a device": "import os\nos.symlink('/dev/zero', 'results.json')\nos._exit(0)\n",
    "a pipe": "import os\nos.mkfifo('results.json')\nos._exit(0)\n",
    "a folder": "import os\nos.mkdir('results.json')\nos._exit(0)\n",
    "a pickle": (
        "import os, pickle\nclass E:\n    def __reduce__(self):\n        return (os.system, "
        "('touch {mark}',))\npickle.dump(E(), open('results.json', 'wb'))\nos._exit(0)\n"
    ),
    "too much": "import os\nopen('results.json', 'w').write('[' * {much})\nos._exit(0)\n",
    "deep": "import os\nopen('results.json', 'w').write('[' * 200_000)\nos._exit(0)\n",
    "NaN": (
        'import os\nopen(\'results.json\', \'w\').write(\'{{"numbers": [{{"name": "n", "value": '
        "NaN}}]}}')\nos._exit(0)\n"
    ),
    "other fields": "import os\nopen('results.json', 'w').write('{{\"code\": 1}}')\nos._exit(0)\n",
    "nothing": "import os\nos._exit(0)\n",
}


@pytest.mark.parametrize("what", LEFT)
async def test_what_it_leaves_is_read_as_results_or_not_at_all(
    room: Room, tmp_path: Path, what: str
) -> None:
    secret = room.tables["a"].parent / "secret.txt"
    mark = tmp_path / "files" / "mark"
    code = LEFT[what].format(secret=str(secret), mark=mark, much=RESULT_BYTES_MAX + 10)
    with pytest.raises(BadInput) as caught:
        await compute(room, code)
    assert caught.value.code in ("results_none", "results_invalid")
    assert SECRET not in caught.value.message
    assert not mark.exists()


async def test_what_acts_in_a_terminal_is_told_harmless(room: Room) -> None:
    assert "\x1b" not in await said(room, "raise ValueError('\\x1b[2J')")


async def test_a_box_finds_nothing_of_the_one_before(room: Room) -> None:
    await compute(room, HANDED + "open('left', 'w').write('x')\n")
    results = await compute(room, "import os\nout.number('n', len(os.listdir('.')))\n")
    assert results.numbers[0].value == 0


async def test_the_environment_holds_no_key(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    code = "import os\nout.table('e', pd.DataFrame({'e': [repr(dict(os.environ))]}))\n"
    results = await compute(room, code)
    assert "sk-canary" not in str(results.tables[0].rows)
    assert os.environ["OPENAI_API_KEY"] == "sk-canary"
