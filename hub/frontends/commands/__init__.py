"""One command table for every frontend: names, arguments, help, and who may.

Chat menus, `/help` and the parsing of what people type (`parsing`) come from this table. What a
command does is the inbox's part; a command that names a kind simply makes a job of it. A family
of commands is a module with its part of the table, in the order of menus.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.frontends.commands import code, files, internet, jobs, language, people, schedules, tables
from hub.frontends.commands.command import Argument, Command, Shape, Spoken, Who

COMMANDS: tuple[Command, ...] = (
    *people.COMMANDS,
    *tables.COMMANDS,
    *files.COMMANDS,
    *language.COMMANDS,
    *internet.COMMANDS,
    *code.COMMANDS,
    *schedules.COMMANDS,
    *jobs.COMMANDS,
)

BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}

__all__ = ["BY_NAME", "COMMANDS", "Argument", "Command", "Shape", "Spoken", "Who"]
