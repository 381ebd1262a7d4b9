"""Commands about files: look, read, write, change, take back."""

from __future__ import annotations

import re

from hub.frontends.commands.command import Argument, Command, Shape

_NAME = re.compile(r"""["']?[^\s"'].*\.[A-Za-z0-9]{1,8}["']?|#[0-9A-Za-z-]{4,36}""")
_FILE = Argument(
    name="file",
    summary="a file in an allowed folder; #K7Q2: the one that job wrote",
    looks_like=_NAME,
    is_exact=True,
)
_MODEL = Argument(name="model", summary="as in local:tiny", named_only=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="files",
        summary="List the files of a folder",
        arguments=(
            Argument(name="folder", summary="an allowed folder, or one below it"),
            Argument(name="pattern", summary="as in *.pdf", named_only=True),
        ),
        example="/files Documents pattern=*.pdf",
        kind="files.list",
        in_menu=False,
    ),
    Command(
        name="read",
        summary="Read a file as text, PDF and Office too",
        arguments=(
            _FILE,
            Argument(name="folder", summary="all of a folder, instead", named_only=True),
            Argument(name="pattern", summary="which of its files, as in *.md", named_only=True),
            Argument(name="start", summary="the first character to show", named_only=True),
        ),
        example="/read report.pdf",
        kind="files.read",
    ),
    Command(
        name="analyze",
        summary="Answer a question about a table by computing it",
        arguments=(
            _FILE,
            Argument(
                name="text", summary="what you want to know", shape=Shape.REST, input="question"
            ),
            Argument(name="files", summary="further tables, with commas", named_only=True),
            _MODEL,
        ),
        example="/analyze sales.csv which region grew most?",
        kind="data.analyze",
    ),
    Command(
        name="write",
        summary="Write a document: md, txt, docx, pdf, csv or json",
        arguments=(
            Argument(
                name="file", summary="its name, with its ending", looks_like=_NAME, is_exact=True
            ),
            Argument(name="text", summary="what is in it; Markdown", shape=Shape.REST),
        ),
        example="/write notes.docx # Minutes",
        kind="files.write",
    ),
    Command(
        name="edit",
        summary="Have a model change a text file",
        arguments=(
            _FILE,
            Argument(
                name="text", summary="what is to be changed", shape=Shape.REST, input="instructions"
            ),
            _MODEL,
        ),
        example="/edit notes.md correct the spelling",
        kind="files.edit",
    ),
    Command(
        name="undo",
        summary="Take back what a job wrote or changed in a file",
        arguments=(
            Argument(name="file", summary="the file, or the job: #K7Q2; else you are asked"),
        ),
        example="/undo notes.md",
        kind="files.undo",
    ),
)
