"""Boxes around what a worker did not write: agents and the tests of a clone.

`choosing.choose` finds the best sandbox that really runs on this machine; the rest of the program
knows only `Sandbox` and the pure `Box`.
"""

from desktop.jobs.code.sandbox.choosing import choose, choose_now
from desktop.jobs.code.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "choose", "choose_now"]
