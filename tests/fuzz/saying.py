"""Makes the frames of a round: mostly almost right, for mere nonsense ends at the parser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel

from tests.fuzz.mutation import mutate, torn, written
from tests.fuzz.samples import Maker
from tests.fuzz.targets import Round


class Voice:
    """Says frames for one round."""

    def __init__(self, played: Round, pool: Sequence[str]) -> None:
        self.played = played
        self.rng = played.random
        self.pool = played.pool = tuple(pool)
        self.maker = Maker(played.random, self.pool)

    def any_of(self, models: Sequence[type[BaseModel]]) -> str | bytes:
        """Say a message of some type, right, bent or broken."""
        document = self.maker.one_of(models)
        match self.rng.randrange(10):
            case 0 | 1 | 2:
                return self.say(json.dumps(document))
            case 9:
                return self.say(torn(self.rng, json.dumps(document)))
            case _:
                return self.bent(document)

    def bent(self, document: object) -> str | bytes:
        return self.say(written(self.rng, mutate(self.rng, document, self.pool)))

    def say(self, frame: str | bytes) -> str | bytes:
        return self.played.note(frame)

    def frames(self, count: int, make: Callable[[], str | bytes]) -> Iterator[str | bytes]:
        """Give the frames that were kept, or new ones, each made when it is wanted."""
        if self.played.given is not None:
            for frame in self.played.given:
                yield self.say(self.played.said_again(frame))
        else:
            for _ in range(count):
                yield make()
