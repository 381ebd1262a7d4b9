"""Main of the program that runs one job, without windows; `build.spec` packs it."""

import multiprocessing

from desktop.runner.guard import start_guard
from desktop.system.program import forget_our_libraries

if __name__ == "__main__":
    # A library that starts a process of its own starts this program again.
    multiprocessing.freeze_support()
    forget_our_libraries()
    start_guard()
    from desktop.runner.inside import main

    main()
