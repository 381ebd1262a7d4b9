"""Improve the logging system in my codebase."""

from __future__ import annotations

from desktop.jobs.plan.samples.model import COMPOSES, PLANS, Rule
from desktop.jobs.plan.samples.writing import plan, step, taken, value
from tests.examples.example import Example

TASK = "Improve the logging system in my codebase."
NAME = "sample-shelf"
_SHELF = '''\
"""Keeps count of what stands on a shelf."""


class Shelf:
    def __init__(self):
        self.items = {}

    def put(self, item, count=1):
        print("DEBUG put", item, count)
        self.items[item] = self.items.get(item, 0) + count

    def take(self, item, count=1):
        if self.items.get(item, 0) < count:
            print("ERROR not enough of", item)
            raise LookupError(item)
        self.items[item] -= count
        print("DEBUG took", item, count)
'''
_TESTS = """\
import unittest

from shelf import Shelf


class Shelves(unittest.TestCase):
    def test_what_is_put_there_can_be_taken(self):
        shelf = Shelf()
        shelf.put("cup", 2)
        shelf.take("cup")
        self.assertEqual(shelf.items, {"cup": 1})

    def test_what_is_not_there_cannot_be_taken(self):
        with self.assertRaises(LookupError):
            Shelf().take("cup")
"""
SUITE = "python3 -m unittest discover -s tests"
_WORDS = (
    "Use the standard library's logging in shelf.py instead of print: one logger of the module, "
    "debug for what goes well, error before an exception. Do not change what the program does."
)
_FOUND = """\
- shelf.py prints by itself in three places: nobody can turn the lines off or send them elsewhere.
- Levels stand in the text ("DEBUG", "ERROR") and mean nothing to a program.
- There is no logger and no configuration.
"""
_PLAN = plan(
    "Have sample-shelf log through the standard library, with levels, and show the change.",
    step(
        "look", "Read the code", "files.read", value("file", f"{NAME}/shelf.py"),
        gives={"text": "text"},
    ),
    step(
        "find", "Find what is wrong with the logging", "llm.ask", taken("text", "look", "text"),
        gives={"text": "text"}, words="What is wrong with the logging in this program?",
    ),
    step(
        "change", "Replace print by logging", "code.refactor",
        value("repository", NAME), value("test_command", SUITE),
        gives={"headline": "text", "branch": "text"}, words=_WORDS, permission="execute",
        criteria=(("nonempty", "branch"), ("command_ok", "")), after=("find",),
    ),
    assumptions=(f"“My codebase” is {NAME}, the only repository in the folder.",),
)  # fmt: skip
_STEPS = (
    {"read": "shelf.py"},
    {
        "edit": "shelf.py",
        "old": '"""Keeps count of what stands on a shelf."""\n',
        "new": '"""Keeps count of what stands on a shelf."""\n\nimport logging\n\n'
        "log = logging.getLogger(__name__)\n",
    },
    {
        "edit": "shelf.py",
        "old": '        print("DEBUG put", item, count)\n',
        "new": '        log.debug("put %s %d", item, count)\n',
    },
    {
        "edit": "shelf.py",
        "old": '            print("ERROR not enough of", item)\n',
        "new": '            log.error("not enough of %s", item)\n',
    },
    {
        "edit": "shelf.py",
        "old": '        print("DEBUG took", item, count)\n',
        "new": '        log.debug("took %s %d", item, count)\n',
    },
    {"run": f"{SUITE} 2>&1 | tail -n 4"},
    {"submit": "shelf.py logs through its own logger now; nothing is printed any more."},
)

LOGGING = Example(
    name="logging",
    title="A better logging system",
    about="sample-shelf is a made-up program; its remote is a bare repository beside it.",
    task=TASK,
    repository={
        "README.md": "# sample-shelf\n\nA made-up program that keeps count of a shelf.\n",
        "shelf.py": _SHELF,
        "tests/__init__.py": "",
        "tests/test_shelf.py": _TESTS,
        ".gitignore": "__pycache__/\n",
    },
    repository_name=NAME,
    steps=_STEPS,
    rules=(
        Rule((PLANS, TASK), _PLAN),
        Rule(
            (COMPOSES, TASK),
            "sample-shelf printed its log lines in three places, with levels as mere words [2]. "
            "They go through a logger of the module now: debug for what goes well, error before "
            "an exception; its two tests pass as before [3]. The change is a branch of its own in "
            "the repository's remote [3].",
        ),
        Rule(("What is wrong with the logging",), _FOUND),
    ),
    answers=(("Plan (", "Go"), ("It wants to push", "Only push")),
)
