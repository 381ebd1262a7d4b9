"""How the tests of a repository are run: found from the names and texts of its files.

A guess is a command and why; nothing here runs it. The one who runs it has the exit status decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

TEXT_CHARS_MAX = 200_000
"""Of one file that is looked into."""
LOOKED_INTO = (
    "package.json",
    "pyproject.toml",
    "setup.cfg",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "composer.json",
    "Gemfile",
    "Rakefile",
    "CMakeLists.txt",
)
"""Files at the top whose text tells more than their name."""
NPM_PLACEHOLDER = "no test specified"
"""What `npm init` writes as the test script."""
_TARGET = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suite:
    command: str
    """For `sh -c` in the clone's top folder, in the sandbox alone."""
    why: str
    """What it was found by: "pyproject.toml names pytest"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What is known of a repository's files."""

    paths: Sequence[str]
    """All of them, "/" between folders."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Of those in `LOOKED_INTO` that are there."""
    python: str = "python3"
    """The interpreter that the sandbox has."""

    @property
    def tops(self) -> frozenset[str]:
        return frozenset(path for path in self.paths if "/" not in path)

    def text(self, name: str) -> str:
        return self.texts.get(name, "")[:TEXT_CHARS_MAX]


def find_suite(tree: Tree) -> Suite | None:
    """Return the likeliest way to run all tests, or None when nothing looks like tests."""
    for finder in _FINDERS:
        if found := finder(tree):
            return found
    return None


def _python(tree: Tree) -> Suite | None:
    tests = [path for path in tree.paths if _is_python_test(path)]
    named = next(
        (name for name in ("pyproject.toml", "setup.cfg") if "pytest" in tree.text(name)), ""
    )
    for name in ("pytest.ini", "conftest.py"):
        named = named or (name if name in tree.tops else "")
    if named or any(path.endswith("/conftest.py") for path in tree.paths):
        return Suite(f"{tree.python} -m pytest -q", f"{named or 'a conftest.py'} names pytest")
    if tests:
        return Suite(f"{tree.python} -m pytest -q", f"{tests[0]} is a test of Python")
    if "noxfile.py" in tree.tops:
        return Suite("nox", "there is a noxfile.py")
    return Suite("tox", "there is a tox.ini") if "tox.ini" in tree.tops else None


def without_pytest(tree: Tree) -> Suite | None:
    """Return the way of the standard library, for a sandbox that has no pytest."""
    tests = [path for path in tree.paths if _is_python_test(path)]
    if not tests:
        return None
    folder = "tests" if any(path.startswith("tests/") for path in tests) else "."
    command = f"{tree.python} -m unittest discover -s {folder} -t ."
    return Suite(command, "there is no pytest in the sandbox")


def _node(tree: Tree) -> Suite | None:
    script = _script_of(tree.text("package.json"), "scripts", "test")
    if not script or NPM_PLACEHOLDER in script:
        return None
    locks = {
        "pnpm-lock.yaml": "pnpm test",
        "yarn.lock": "yarn test",
        "bun.lock": "bun run test",
        "bun.lockb": "bun run test",
    }
    command = next((command for lock, command in locks.items() if lock in tree.tops), "npm test")
    return Suite(command, "package.json has a script for tests")


def _rust(tree: Tree) -> Suite | None:
    return Suite("cargo test", "there is a Cargo.toml") if "Cargo.toml" in tree.tops else None


def _go(tree: Tree) -> Suite | None:
    return Suite("go test -v ./...", "there is a go.mod") if "go.mod" in tree.tops else None


def _java(tree: Tree) -> Suite | None:
    if "pom.xml" in tree.tops:
        maven = "./mvnw" if "mvnw" in tree.tops else "mvn"
        return Suite(f"{maven} -B -o test", "there is a pom.xml")
    if tree.tops & {"build.gradle", "build.gradle.kts"}:
        gradle = "./gradlew" if "gradlew" in tree.tops else "gradle"
        return Suite(f"{gradle} --offline test", "there is a build.gradle")
    return None


def _dotnet(tree: Tree) -> Suite | None:
    named = [path for path in tree.paths if path.endswith((".sln", ".slnx"))]
    named += [path for path in tree.paths if path.endswith(("Tests.csproj", "Tests.fsproj"))]
    return Suite("dotnet test", f"there is {named[0]}") if named else None


def _ruby(tree: Tree) -> Suite | None:
    if any(path.endswith("_spec.rb") for path in tree.paths):
        bundled = "bundle exec " if "Gemfile" in tree.tops else ""
        return Suite(f"{bundled}rspec", "there are specs of Ruby")
    if "Rakefile" in tree.tops and "test" in tree.text("Rakefile").casefold():
        return Suite("rake test", "the Rakefile has tests")
    return None


def _php(tree: Tree) -> Suite | None:
    if tree.tops & {"phpunit.xml", "phpunit.xml.dist"}:
        return Suite("vendor/bin/phpunit", "there is a phpunit.xml")
    script = _script_of(tree.text("composer.json"), "scripts", "test")
    return Suite("composer test", "composer.json has a script for tests") if script else None


def _make(tree: Tree) -> Suite | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if target := _TARGET.search(tree.text(name)):
            return Suite(f"make {target[1]}", f"the {name} has a target for it")
    if re.search(r"^test\b[^\n=]*:", tree.text("justfile"), re.MULTILINE):
        return Suite("just test", "the justfile has a recipe for it")
    return None


def _cmake(tree: Tree) -> Suite | None:
    if "enable_testing" not in tree.text("CMakeLists.txt"):
        return None
    build = "cmake -S . -B build && cmake --build build"
    return Suite(f"{build} && ctest --test-dir build", "CMakeLists.txt enables tests")


def _script_of(text: str, *path: str) -> str:
    """Return a text in JSON, by the names that lead to it; empty when it is not there."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _is_python_test(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


_FINDERS: tuple[Callable[[Tree], Suite | None], ...] = (
    _rust,
    _go,
    _java,
    _dotnet,
    _php,
    _ruby,
    _python,
    _node,
    _cmake,
    _make,
)
