"""Writes what the flow in Discord looks like: `python -m tests.flows.discord_transcript`.

The transcript in docs/discord.md comes from here. What a message turned into later is shown where
it happened; of many edits of one message only the last in a row.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import textwrap
from pathlib import Path

from tests.discord_servers.reading import seen
from tests.discord_servers.state import DM, THREAD, Moment
from tests.flows.discord_home import DiscordHome, link_account, open_discord_home
from tests.flows.phone import connect_laptop, train_and_predict

WIDTH = 90
LABELS_MAX = 4


async def _play(folder: Path) -> list[str]:
    async with open_discord_home(folder) as home:
        await home.start_hub()
        await link_account(home)
        await home.run("desktop", "samples", str(home.documents))
        await connect_laptop(home)
        _, predicted = await train_and_predict(home)
        await home.phone.tap(predicted, "Send me the file")
        await home.discord.until(lambda: any(m.shown.files for m in home.desk.messages[-3:]), 60)
        return _told(home)


def _told(home: DiscordHome) -> list[str]:
    lines: list[str] = []
    moments = home.discord.state.moments
    place = ""
    for moment, after in zip(moments, [*moments[1:], None], strict=True):
        key = (moment.what, moment.message_id)
        if after is not None and key == ("changed", after.message_id) and after.what == key[0]:
            continue
        if _place(moment) != place:
            place = _place(moment)
            lines += ["", f"── {place}"]
        lines += _moment(moment)
    bare = home.url.partition("://")[2]
    return [
        line.replace(home.url, "https://hub.example.org").replace(bare, "hub.example.org")
        for line in lines[1:]
    ]


def _place(moment: Moment) -> str:
    if moment.channel.kind == DM:
        return "direct message"
    return f"thread “{moment.channel.name}”" if moment.channel.kind == THREAD else "#general"


def _moment(moment: Moment) -> list[str]:
    if moment.what == "pressed":
        return [f"you ▸ press [{moment.text}]"]
    head = {"shown": "bot ▸ ", "changed": "  ✎ ▸ "}.get(moment.what, "you ▸ ")
    text = seen(moment.text).text if moment.by.is_bot else moment.text
    told: list[str] = []
    for line in text.strip().splitlines():
        told += textwrap.wrap(line, WIDTH - len(head), break_on_hyphens=False) or [""]
    told += [f"({name})" for name in moment.files if moment.what == "shown"]
    labels = list(moment.labels)
    if len(labels) > LABELS_MAX:
        labels = [*labels[:LABELS_MAX], "…"]
    if labels:
        told += textwrap.wrap(" ".join(f"[{name}]" for name in labels), WIDTH - len(head))
    return [f"{head if number == 0 else '      '}{line}" for number, line in enumerate(told)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write("\n".join(asyncio.run(_play(Path(folder)))) + "\n")


if __name__ == "__main__":
    main()
