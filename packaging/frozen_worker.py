"""Main of the self-contained worker; `build.spec` packs it."""

import multiprocessing
import os
import sys

from desktop.__main__ import main


def forget_our_libraries() -> None:
    """Let programs of the system (systemctl, git) find the system's libraries again.

    PyInstaller's start points LD_LIBRARY_PATH at the libraries in our folder, for this process and
    all below it; the loader has read it by now and does not look again.
    """
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        before = os.environ.pop(f"{name}_ORIG", None)
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


if __name__ == "__main__":
    # A library that starts a process of its own starts this program again.
    multiprocessing.freeze_support()
    if getattr(sys, "frozen", False):
        forget_our_libraries()
    sys.exit(main())
