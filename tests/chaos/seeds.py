"""What chance begins with in this folder's tests: the same in two runs, unless it is chosen.

DESKHAND_CHAOS_SEED=<a number> replays a run that failed, DESKHAND_CHAOS_SEED=random looks for what
is new. What is drawn is the same then; when it falls is not, for real programs take their time.
"""

import os
import random

USUAL = "1"
ANY = "random"


def chosen_seed() -> int:
    """Return the seed of this run; tests print it."""
    word = os.environ.get("DESKHAND_CHAOS_SEED") or USUAL
    return random.randrange(10**6) if word == ANY else int(word)
