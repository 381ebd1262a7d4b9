"""Handing over files a person asked for, and looking into them without handing them over."""

from __future__ import annotations

from shared.kinds import Inputs, Kind, Output


class SendInputs(Inputs):
    file: str | None = None
    """A path in an allowed folder, a file name that is found there, or "#" and the id of a job:
    the file that job wrote on this machine."""


class SendOutput(Output):
    pass


class HeadInputs(Inputs):
    file: str | None = None
    """As of `SendInputs`."""


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
