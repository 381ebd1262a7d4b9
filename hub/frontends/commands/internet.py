"""Commands about the web: a question answered from it, a page, a search, a task's browser."""

from __future__ import annotations

from hub.frontends.commands.command import Argument, Command, Shape

COMMANDS: tuple[Command, ...] = (
    Command(
        name="research",
        summary="Answer a question from the web, with its sources",
        arguments=(
            Argument(
                name="question",
                summary="what you want to know",
                shape=Shape.REST,
                input="question",
            ),
            Argument(name="urls", summary="pages to read in any case", named_only=True),
            Argument(name="model", summary="as in local:tiny", named_only=True),
        ),
        example="/research Which bills on water are before parliament?",
        kind="web.research",
    ),
    Command(
        name="page",
        summary="Read a page, a PDF or a document of the web",
        arguments=(
            Argument(name="urls", summary="its address, or several", shape=Shape.REST),
            Argument(name="render", summary="auto, always or never", named_only=True),
        ),
        example="/page https://example.org",
        kind="web.read",
        in_menu=False,
    ),
    Command(
        name="websearch",
        summary="Search the web",
        arguments=(Argument(name="query", summary="what to search for", shape=Shape.REST),),
        example="/websearch honey harvest 2026",
        kind="web.search",
        in_menu=False,
    ),
    Command(
        name="browse",
        summary="The task's own browser: open, follow a link, look, close",
        arguments=(
            Argument(name="action", choices=("status", "open", "follow", "close")),
            Argument(name="url", summary="for open", named_only=True),
            Argument(name="link", summary="for follow: its number", named_only=True),
        ),
        example="/browse open url=https://example.org",
        kind="web.session",
        in_menu=False,
    ),
)
