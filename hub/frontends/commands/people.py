"""Commands about coming in: people, chats and computers."""

from __future__ import annotations

from hub.frontends.commands.command import Argument, Command, Who

_REQUEST = Argument(name="id", summary="who waits, as told", required=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="start",
        summary="What this is, and what to do first",
        who=Who.ANYONE,
        arguments=(Argument(name="code", summary="an invitation"),),
    ),
    Command(
        name="help",
        summary="All commands, or one in detail",
        who=Who.ANYONE,
        arguments=(Argument(name="command"),),
        example="/help train",
    ),
    Command(name="connect", summary="Get a code that pairs a computer"),
    Command(name="web", summary="Get a link to your dashboard in a browser"),
    Command(
        name="pair",
        summary="Connect the computer that shows a code",
        arguments=(Argument(name="code", summary="what it shows", required=True),),
        example="/pair WDJB-MJHT",
    ),
    Command(
        name="approve",
        summary="Let a computer or a person in; buttons say this",
        arguments=(_REQUEST,),
        example="/approve K7Q2",
        in_menu=False,
    ),
    Command(
        name="reject",
        summary="Turn a computer or a person away; buttons say this",
        arguments=(_REQUEST,),
        example="/reject K7Q2",
        in_menu=False,
    ),
    Command(
        name="unlink",
        summary="Let a chat account speak for you no more; buttons say this",
        arguments=(
            Argument(name="frontend", required=True),
            Argument(name="account", required=True),
        ),
        example="/unlink telegram 4711",
        in_menu=False,
    ),
    Command(
        name="disconnect",
        summary="Disconnect a computer, or this chat",
        arguments=(
            Argument(name="name", summary="a computer's name, or: chat"),
            Argument(name="sure", choices=("yes",)),
        ),
        example="/disconnect studio-mac",
    ),
    Command(name="lock", summary="Stop everything and let no chat start anything"),
    Command(name="workers", summary="Your computers and how they are"),
    Command(
        name="worker",
        summary="Look at one computer; pause, revoke, start at login",
        arguments=(
            Argument(name="name", required=True),
            Argument(name="action", choices=("pause", "resume", "revoke", "autostart")),
            Argument(name="switch", summary="of autostart", choices=("on", "off", "status")),
        ),
        example="/worker anna-pc pause",
    ),
)
