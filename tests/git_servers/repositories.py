"""Small repositories to work on, made by git as people make them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FILES = {
    "README.md": b"# A parser\n",
    "parser.py": b"def parse(text):\n    return text.split(',')\n",
    "tests/test_parser.py": b"def test_parse():\n    assert True\n",
    ".gitignore": b"build/\n",
}
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Anna",
    "GIT_AUTHOR_EMAIL": "anna@example.org",
    "GIT_COMMITTER_NAME": "Anna",
    "GIT_COMMITTER_EMAIL": "anna@example.org",
    "GIT_TERMINAL_PROMPT": "0",
}


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run git in a folder, as its owner would."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env=ENV, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(errors="replace").strip()


def work_copy(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    """Make a repository with one commit on "main"."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "First")
    return folder


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def fill(bare: Path, scratch: Path, files: dict[str, bytes] = FILES) -> str:
    """Push a first commit into an empty bare repository and return it."""
    work_copy(scratch, files)
    git(scratch, "push", "-q", str(bare), "main")
    return git(scratch, "rev-parse", "HEAD")
