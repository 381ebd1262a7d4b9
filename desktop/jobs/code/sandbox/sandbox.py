"""What every sandbox offers: a name, whether it holds anything back, and how to start in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from desktop.core.code.box import Box, Launch


class Sandbox(Protocol):
    """A way to start processes in a box. Has no state of a job; any number of jobs share one."""

    @property
    def name(self) -> str:
        """The word of the policy and of `deskhand doctor`: "bubblewrap", "landlock", "none"."""

    @property
    def is_isolating(self) -> bool:
        """Whether a hostile process is held; without it nothing runs autonomously."""

    @property
    def why(self) -> str:
        """Why this one and no better one, in a sentence for its owner; empty when it is best."""

    @property
    def hint(self) -> str:
        """What gives a better one; empty when there is none."""

    def port(self) -> int:
        """Return a port for `Box.port`: where the gateway is to be found inside on 127.0.0.1.

        It is free now; where boxes have no network of their own it is another for each call.
        """

    def launch(self, box: Box, argv: Sequence[str]) -> Launch:
        """Tell how to start a command in a box; starts nothing.

        The starter is the one whose end ends the box: start it from the thread that lives as long
        as the job. The relay to the gateway is put before the command where the box has one.

        Raises:
            BadInput: `box_path`, when a folder of the box is missing or would uncover a secret.
        """
