"""Writes what the flow from the phone looks like: `python -m tests.flows.phone_transcript`.

The transcript in docs/telegram.md comes from here. What a message turned into later is shown where
it happened; of many edits of one message only the last in a row.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import textwrap
from pathlib import Path

from tests.fakes.bot_api_state import Moment, What
from tests.flows.phone import Home, connect_laptop, link_phone, open_home, train_and_predict

WIDTH = 90
LABELS_MAX = 4


async def _play(folder: Path) -> list[str]:
    async with open_home(folder) as home:
        await home.start_hub()
        await link_phone(home)
        await home.run("desktop", "samples", str(home.documents))
        said = await connect_laptop(home)
        _, predicted = await train_and_predict(home)
        await home.phone.tap(predicted, "Send me the file")
        await home.fake.until(lambda: any(m.document for m in home.phone.messages), 60)
        return _told(home, said)


def _told(home: Home, said: list[str]) -> list[str]:
    lines: list[str] = []
    moments = home.fake.state.moments
    for moment, after in zip(moments, [*moments[1:], None], strict=True):
        is_one_of_many = (
            moment.what is What.EDITED
            and after is not None
            and (after.what, after.message_id) == (What.EDITED, moment.message_id)
        )
        if not is_one_of_many:
            lines += _moment(moment)
        if moment.what is What.SENT and "/download" in moment.text:
            lines += [f"  anna-pc $ {line}" for line in said if "Check words" in line]
    return [
        line.replace(home.url, "https://hub.example.org").replace(
            home.url.partition("://")[2], "hub.example.org"
        )
        for line in lines
    ]


def _moment(moment: Moment) -> list[str]:
    if moment.what is What.TAPPED:
        return [f"you ▸ tap [{moment.text}]"]
    head = "bot ▸ " if moment.by == "bot" else "you ▸ "
    head = "  ✎ ▸ " if moment.what is What.EDITED else head
    text = f"{moment.text}\n({moment.file.name})" if moment.file else moment.text
    told: list[str] = []
    for line in text.strip().splitlines():
        told += textwrap.wrap(line, WIDTH - len(head), break_on_hyphens=False) or [""]
    labels = [button["text"] for row in moment.rows for button in row]
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
