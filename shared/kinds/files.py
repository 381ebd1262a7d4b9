"""Handing over files a person asked for, and looking into them without handing them over."""

from __future__ import annotations

from pydantic import Field

from shared.kinds import FILE_HELP, Inputs, Kind, Output

_FILE_HELP = FILE_HELP + ' Or "#" and the id of a job: the file that job wrote there.'


class SendInputs(Inputs):
    file: str | None = Field(default=None, description=_FILE_HELP)


class SendOutput(Output):
    pass


class HeadInputs(Inputs):
    file: str | None = Field(default=None, description=_FILE_HELP)


class HeadOutput(Output):
    pass


KINDS = (
    Kind(
        name="files.send",
        summary="Send a file of this machine into the chat: /send FILE",
        inputs=SendInputs,
        output=SendOutput,
        idempotent=True,
        timeout_seconds=600,
    ),
    Kind(
        name="files.head",
        summary="Show the first rows of a table as text",
        inputs=HeadInputs,
        output=HeadOutput,
        idempotent=True,
        timeout_seconds=600,
    ),
)
