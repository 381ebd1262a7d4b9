"""Draws cuts, builds their images, and has each judged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.power import hub_judge, worker_judge
from tests.power.disk import Image, Luck, images
from tests.power.saying import Word, heard
from tests.power.trace import Step, record
from tests.power.verdict import Verdict

Judge = Callable[[Path, list[Word]], Awaitable[Verdict]]
SHOWN_MAX = 5
MEMORY = Path("/dev/shm")
"""Images are written and thrown away by the thousand; that needs no real disk."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A program whose power is cut, and who looks at what is left."""

    name: str
    deeds: str
    judge: Judge


SUBJECTS = (
    Subject("hub", "tests.power.hub_deeds", hub_judge.judge),
    Subject("worker", "tests.power.worker_deeds", worker_judge.judge),
)


@dataclass(slots=True)
class Tally:
    """What came of a campaign."""

    tried: int = 0
    faults: int = 0
    """Images in which something was in the air when the power went."""
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    shown: list[str] = field(default_factory=list)
    """The first that went wrong, with what replays them."""

    def __str__(self) -> str:
        return (
            f"power cuts  tried {self.tried} images  faults {self.faults}  lost {self.lost}"
            f"  doubled {self.doubled}  stuck {self.stuck}"
        )

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.stuck)

    def add(
        self, subject: Subject, cut: tuple[int, Luck, int], image: Image, said: Verdict
    ) -> None:
        self.tried += 1
        self.faults += image.pending > 0
        self.lost += bool(said.lost)
        self.doubled += bool(said.doubled)
        self.stuck += bool(said.stuck)
        if not said.is_clean and len(self.shown) < SHOWN_MAX:
            self.shown.append(f"{subject.name} cut after step {cut[0]}, {cut[1].name}: {said}")


def run(
    images_count: int, seed: int, *, synchronous: str = "FULL", only: str = "", cut: int = 0
) -> Tally:
    """Cut the power of each subject; return what came of it.

    Args:
        images_count: how many images, of all subjects together.
        seed: of the cuts.
        synchronous: how the store trusts the disk; FULL in the product.
        only: the name of one subject.
        cut: after this step alone, with any luck.

    Raises:
        RuntimeError: as `record`.
    """
    subjects = [subject for subject in SUBJECTS if only in ("", subject.name)]
    tally = Tally()
    for subject in subjects:
        with _folder() as folder:
            store = folder / "store"
            store.mkdir()
            steps = record([subject.deeds, str(folder), synchronous], folder, store)
            cuts = draw(len(steps), images_count // len(subjects), seed, cut)
            asyncio.run(_judge_all(subject, steps, cuts, folder, tally))
    return tally


def draw(steps: int, count: int, seed: int, cut: int = 0) -> list[tuple[int, Luck, int]]:
    """Draw cuts: everywhere alike, with every luck."""
    chance = random.Random(seed)
    lucks = (Luck.LOST, Luck.KEPT, Luck.MIXED, Luck.MIXED)
    return [
        (cut or chance.randint(1, steps), lucks[number % len(lucks)], chance.randrange(2**32))
        for number in range(count)
    ]


async def _judge_all(
    subject: Subject,
    steps: list[Step],
    cuts: list[tuple[int, Luck, int]],
    folder: Path,
    tally: Tally,
) -> None:
    for number, (cut, image) in enumerate(images(steps, cuts)):
        place = folder / f"image-{number}"
        place.mkdir()
        for name, content in image.files.items():
            (place / name).write_bytes(content)
        tally.add(subject, cut, image, await subject.judge(place, heard(image.said)))
        shutil.rmtree(place)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    is_memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    with tempfile.TemporaryDirectory(prefix="power", dir=MEMORY if is_memory else None) as folder:
        yield Path(folder).resolve()
