"""Where a copy of a hub's log goes on after the hub was restored from a backup."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages import EpochBefore


def kept_upto(lineage: Sequence[EpochBefore], hub_epoch: str, hub_seq: int) -> int | None:
    """Return up to which number a copy of an earlier life is a copy of the present one, too.

    Args:
        lineage: of the present life, the last one before it first.
        hub_epoch: the life that the copy was made of.
        hub_seq: where the copy ends.

    Returns:
        At most `hub_seq`; None when the copy is of another hub's log.
    """
    kept = hub_seq
    for before in lineage:
        # A later life may have begun from an older backup than the one before it.
        kept = min(kept, before.upto)
        if before.hub_epoch == hub_epoch:
            return kept
    return None
