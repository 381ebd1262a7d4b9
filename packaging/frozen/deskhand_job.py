"""Main of the program that runs one job, without windows; `build.spec` packs it.

By a word it is one of the programs that run in a job's box instead (`desktop/jobs/inside.py`).
A frozen folder has no Python to run them with.
"""

import multiprocessing
import sys

from desktop.jobs.inside import run_inside
from desktop.runner.guard import start_guard
from desktop.system.program import forget_our_libraries

if __name__ == "__main__":
    # A library that starts a process of its own starts this program again.
    multiprocessing.freeze_support()
    forget_our_libraries()
    status = run_inside(sys.argv[1:])
    if status is not None:
        sys.exit(status)
    start_guard()
    from desktop.runner.inside import main

    main()
