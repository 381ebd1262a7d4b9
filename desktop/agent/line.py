"""The line to the hub, as the other parts of the worker know it; it is made before the link.

The link asks the station, which stands on all the others: so it can only be made last.
"""

from __future__ import annotations

from desktop.link.client import Link
from shared.messages import FromWorker


class AgentLine:
    """One for each worker; `link` is set before anything is told."""

    link: Link

    def __init__(self) -> None:
        self.failed_calls = 0
        """How often the hub was called in vain since the line was up."""

    @property
    def is_open(self) -> bool:
        return self.link.is_open

    @property
    def is_offline(self) -> bool:
        """Whether the hub was called in vain: what it has offered waits until it is back."""
        return self.failed_calls > 0

    def send(self, message: FromWorker) -> None:
        """Send a transient message; without a line it is dropped."""
        self.link.send(message)

    def ring(self) -> None:
        """The outbox has grown."""
        self.link.ring()

    def renew(self) -> None:
        """Introduce this worker anew: what it says of itself has changed."""
        self.link.renew()
