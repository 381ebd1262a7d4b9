"""Git's sentences become codes and next steps; what servers write in them does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.git_fault import CORRUPT, WORDS_CHARS_MAX, fault_of, shortened

WHERE = "git.example.org/anna/parser"


@pytest.mark.parametrize(
    ("words", "code", "is_retryable"),
    [
        ("fatal: repository 'https://git.example.org/x/' not found", "repository_not_found", False),
        (
            "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
            "repository_not_found",
            False,
        ),
        (
            "remote: The project you were looking for could not be found or you don't have "
            "permission to view it.\nfatal: repository 'https://gitlab.com/a/b.git/' not found",
            "repository_not_found",
            False,
        ),
        ("fatal: '/x' does not appear to be a git repository", "repository_not_found", False),
        (
            "fatal: could not read Username for 'https://h.example': terminal prompts disabled",
            "repository_auth",
            False,
        ),
        ("fatal: Authentication failed for 'https://git.example.org/x/'", "repository_auth", False),
        ("git@h: Permission denied (publickey).\nfatal: Could not read", "repository_auth", False),
        (
            "remote: Permission to a/b.git denied to anna.\nfatal: unable to access "
            "'https://github.com/a/b/': The requested URL returned error: 403",
            "repository_auth",
            False,
        ),
        ("Host key verification failed.\nfatal: Could not read", "ssh_host_unknown", False),
        (
            "fatal: unable to access 'https://h/': server certificate verification failed. CAfile",
            "repository_untrusted",
            False,
        ),
        (
            "fatal: unable to access 'https://h/': Could not resolve host: h",
            "repository_unreachable",
            True,
        ),
        ("ssh: connect to host h port 22: Connection refused", "repository_unreachable", True),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack", "repository_unreachable", True),
        (
            "fatal: unable to access 'http://h/': The requested URL returned error: 503",
            "repository_unreachable",
            True,
        ),
        ("fatal: couldn't find remote ref refs/heads/x", "branch_missing", False),
        (" ! [rejected]  a -> b (stale info)\nerror: failed to push", "push_rejected", False),
        (
            " ! [remote rejected] a -> b (pre-receive hook declined)\nerror: failed to push some",
            "push_rejected",
            False,
        ),
        ("fatal: write error: No space left on device", "disk_full", True),
        ("fatal: detected dubious ownership in repository at '/x'", "repository_owner", False),
        ("fatal: transport 'ext' not allowed", "repository_scheme", False),
        ("error: object file .git/objects/ab/cd is empty", CORRUPT, True),
        ("fatal: bad object refs/heads/main", CORRUPT, True),
        ("error: inflate: data stream error (incorrect header check)", CORRUPT, True),
        ("fatal: not a git repository: '/m/mirror.git'", CORRUPT, True),
        ("something new", "git_failed", False),
        ("", "git_failed", False),
    ],
)
def test_a_failure_has_a_code_and_a_next_step(words: str, code: str, is_retryable: bool) -> None:
    fault = fault_of(words, WHERE)
    assert (fault.code, fault.retryable) == (code, is_retryable)
    assert fault.hint
    assert "{" not in fault.message


def test_secrets_and_control_characters_do_not_come_along() -> None:
    words = (
        "fatal: unable to access 'https://anna:ghp_0123456789012345678901234567890123@h/x': "
        "\x1b[2JCould not resolve host"
    )
    fault = fault_of(words, WHERE)
    assert "ghp_" not in str(fault)
    assert "\x1b" not in str(fault)


def test_the_telling_line_is_taken() -> None:
    words = "remote: Counting objects\nhint: try harder\n ! [remote rejected] a (hook)\nerror: x\n"
    assert shortened(words) == "! [remote rejected] a (hook)"


@given(st.text(max_size=500))
def test_nothing_that_is_said_breaks_it(words: str) -> None:
    fault = fault_of(words, WHERE)
    assert len(shortened(words)) <= WORDS_CHARS_MAX
    assert "\n" not in fault.message
