"""What a person's workers offer, as a job that has steps is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from desktop.runner.lines import Offered
from desktop.store.copied import Worker
from shared.ids import WorkerId

REVOKED = "revoked"
KNOWN = "known"


def offers(
    here: WorkerId,
    name: str,
    kinds: Collection[str],
    machines: Sequence[Worker],
    *,
    is_online: bool,
) -> tuple[Offered, ...]:
    """Put together what this worker runs itself and what the hub has told of the others.

    Args:
        here: this worker.
        name: what people call it.
        kinds: what it runs now.
        machines: of this person, as the hub has told.
        is_online: whether the hub can be reached; the others cannot without it.
    """
    own = Offered(
        worker_id=here, name=name, is_here=True, is_online=True, kinds=tuple(sorted(kinds))
    )
    others = (
        Offered(
            worker_id=machine.worker_id,
            name=machine.name,
            is_here=False,
            is_online=is_online and machine.state == KNOWN,
            kinds=machine.kinds,
        )
        for machine in machines
        if machine.worker_id != here and machine.state != REVOKED and machine.kinds
    )
    return (own, *others)
