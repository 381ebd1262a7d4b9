"""What coding jobs gave back, in lines for a chat: what their own sentences do not tell.

Paths, branches and addresses are a machine's words about what strangers wrote: they are shown as
plain text, and an address becomes a button only when it is a web page.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.core.view import Button, Sheet
from hub.frontends.figures import count, plural
from shared.ids import JobId, is_uuid, short
from shared.kinds import Output
from shared.kinds.code import (
    AgentFacts,
    AgentsOutput,
    CodeOutput,
    DiffOutput,
    FileFacts,
    SuiteFacts,
)
from shared.plain_text import plain, plain_line

Told = tuple[list[str], tuple[Button, ...]]

FILES_SHOWN_MAX = 12
URL_CHARS_MAX = 1000
SIGNS = {"added": "A", "changed": "M", "deleted": "D", "renamed": "R"}
"""How git marks what became of a file."""


def told(output: Output, job_id: JobId) -> Told | None:
    """Tell a result in lines, with what goes on from there; None when it is no such result."""
    match output:
        case CodeOutput():
            lines, buttons = _work(output), _buttons(output, job_id)
        case DiffOutput():
            lines, buttons = diff_lines(output), ()
        case AgentsOutput():
            lines, buttons = _agents(output), ()
        case _:
            return None
    return [plain_line(line) for line in lines], buttons


def sheet_of(output: Output) -> Sheet | None:
    """The text of a change, which goes along as a block or a file; None when there is none."""
    if not isinstance(output, DiffOutput) or not output.diff.strip():
        return None
    name = short(output.job) if is_uuid(output.job) else "change"
    cut = "\n(Cut here; the computer has all of it.)\n" if output.is_cut else ""
    return Sheet(name=f"{name.lower()}.diff", text=plain(output.diff) + cut, language="diff")


def signed(added: int, removed: int) -> str:
    """Say how many lines came and went: "+14 −3"."""
    return f"+{count(added)} −{count(removed)}"


def suite_of(suite: SuiteFacts) -> str:
    """Say how a run of the tests went: "41 passed, 3 failed"."""
    if suite.is_good is None:
        return "none found"
    counts = [(suite.passed, "passed"), (suite.failed, "failed")]
    numbers = [f"{count(number)} {word}" for number, word in counts if number]
    return ", ".join(numbers) or ("passed" if suite.is_good else "failed")


def tests_of(before: SuiteFacts | None, after: SuiteFacts | None) -> str:
    """Say what the tests say now, and what they said before: "41 passed (before: 3 failed)"."""
    if after is None:
        return ""
    was = f" (before: {suite_of(before)})" if before is not None else ""
    mark = "" if after.is_good is None else "✓ " if after.is_good else "⚠ "
    return f"{mark}Tests: {suite_of(after)}{was}"


def file_lines(files: tuple[FileFacts, ...], total: int) -> list[str]:
    """List files with what became of each, the first few."""
    lines = [f"  {_file(file)}" for file in files[:FILES_SHOWN_MAX]]
    more = max(total, len(files)) - min(len(files), FILES_SHOWN_MAX)
    return [*lines, f"  and {plural(more, 'more file')}"] if more > 0 else lines


def diff_lines(output: DiffOutput) -> list[str]:
    """List what a change is made of, and how the tests are; its headline says how large it is."""
    return [
        *file_lines(output.files_changed, output.files_total),
        *filter(None, [tests_of(None, output.tests_after)]),
    ]


def is_web_page(url: str) -> bool:
    """Whether an address may become a button."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_CHARS_MAX
    return is_plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def link_label(url: str) -> str:
    """What is behind the address of a delivery."""
    is_request = any(part in url for part in ("/pull/", "/pulls/", "/merge_requests/"))
    return "Open the pull request" if is_request else "Open the branch"


def _work(output: CodeOutput) -> list[str]:
    """Who worked where; the executor's own sentences tell the rest."""
    box = f"sandbox: {output.sandbox}" if output.sandbox else ""
    parts = ", ".join(filter(None, (output.agent, box)))
    return [f"({parts})"] if parts else []


def _buttons(output: CodeOutput, job_id: JobId) -> tuple[Button, ...]:
    buttons = []
    if is_web_page(output.url):
        buttons.append(Button(label=link_label(output.url), url=output.url))
    if output.files_changed:
        buttons.append(Button(label="Show diff", says=f"/diff {job_id}"))
    return tuple(buttons)


def _file(file: FileFacts) -> str:
    size = "binary" if file.is_binary else signed(file.added, file.removed)
    return f"{SIGNS[file.what]} {file.path} {size}"


def _agents(output: AgentsOutput) -> list[str]:
    lines = [_agent(agent) for agent in output.agents]
    lines += [f"Sandbox: {output.sandbox}"] if output.sandbox else []
    return [*lines, f"Model: {output.model}"] if output.model else lines


def _agent(agent: AgentFacts) -> str:
    mark = "✓" if agent.is_ready else "–"
    name = " ".join(filter(None, (agent.name, agent.version)))
    return f"{mark} {name}: {agent.sentence or agent.title}".removesuffix(": ")
