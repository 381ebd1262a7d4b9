"""What sort of file a path names: documentation, a test, or what decides how tests are run."""

from __future__ import annotations

from pathlib import PurePosixPath

DOC_SUFFIXES = frozenset(
    {".md", ".rst", ".txt", ".adoc", ".asciidoc", ".org", ".textile", ".mdx", ".pod", ".rdoc"}
    | {".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".tex", ".typ", ".po"}
)
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".drawio"})
DOC_FOLDERS = frozenset({"doc", "docs", "documentation", "man", "wiki"})
DOC_NAMES = frozenset(
    {"authors", "changelog", "changes", "contributing", "contributors", "copying", "history"}
    | {"install", "license", "licence", "maintainers", "news", "notice", "readme", "security"}
)
NO_DOCS = frozenset({"cmakelists.txt", "robots.txt", "constraints.txt", "meson_options.txt"})
"""Called ".txt", and decide what is built or installed."""

TEST_FOLDERS = frozenset({"test", "tests", "spec", "specs", "__tests__", "testing"})
SUITE_NAMES = frozenset(
    {"conftest.py", "pytest.ini", "tox.ini", "noxfile.py", "setup.cfg", "pyproject.toml"}
    | {"package.json", "makefile", "gnumakefile", "cargo.toml", "pom.xml", "build.gradle"}
    | {"build.gradle.kts", "phpunit.xml", "phpunit.xml.dist", ".rspec", "rakefile", "go.mod"}
    | {"jest.config.js", "jest.config.ts", "vitest.config.ts", "vitest.config.js"}
    | {"sitecustomize.py", "usercustomize.py", ".mocharc.json", ".mocharc.yml", "justfile"}
)

FORGE_FOLDERS = frozenset(
    {".github", ".gitea", ".forgejo", ".gitlab", ".circleci", ".woodpecker", ".buildkite"}
    | {".builds", ".semaphore", ".tekton", ".azure-pipelines"}
)
FORGE_NAMES = (
    ".gitlab-ci", ".woodpecker", ".travis", ".drone", ".cirrus", ".build.yml", ".appveyor",
    "appveyor", "azure-pipelines", "bitbucket-pipelines", "cloudbuild", "buildspec", "jenkinsfile",
)  # fmt: skip
"""How names begin, in whatever folder: which file it is can be set at the forge."""


def is_doc(path: str) -> bool:
    """Say whether a file is documentation, and neither code nor settings."""
    pure = PurePosixPath(path.lower())
    if pure.name in NO_DOCS or pure.name.startswith("requirements"):
        return False
    if any(part.startswith(".") and part != ".github" for part in pure.parts[:-1]):
        return False
    if pure.suffix in DOC_SUFFIXES:
        return True
    if not pure.suffix or pure.name in DOC_NAMES:
        return pure.name in DOC_NAMES
    return pure.suffix in PICTURE_SUFFIXES and bool(DOC_FOLDERS & set(pure.parts[:-1]))


def is_test(path: str) -> bool:
    """Say whether a file holds tests, by the customs of the usual languages."""
    pure = PurePosixPath(path)
    stem = pure.stem.lower()
    if TEST_FOLDERS & {part.lower() for part in pure.parts[:-1]}:
        return True
    if stem.startswith("test_") or stem.endswith(("_test", "_tests", "_spec", ".test", ".spec")):
        return True
    return pure.suffix in (".java", ".kt", ".cs", ".php") and pure.stem.endswith(("Test", "Tests"))


def is_suite(path: str) -> bool:
    """Say whether a file decides which tests are run, and how."""
    return PurePosixPath(path).name.lower() in SUITE_NAMES


def is_run_by_forge(path: str) -> bool:
    """Say whether a forge runs a file by itself once it is pushed, with keys that are its own."""
    pure = PurePosixPath(path.lower())
    is_in_folder = len(pure.parts) > 1 and pure.parts[0] in FORGE_FOLDERS
    return is_in_folder or pure.name.startswith(FORGE_NAMES)
