"""Main of the self-contained program: the tray app and all commands; `build.spec` packs it."""

import multiprocessing
import sys

from desktop.system.program import forget_our_libraries

if __name__ == "__main__":
    # A library that starts a process of its own starts this program again.
    multiprocessing.freeze_support()
    forget_our_libraries()
    from desktop.__main__ import main

    sys.exit(main())
