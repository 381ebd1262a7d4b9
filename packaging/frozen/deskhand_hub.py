"""Main of the hub for "just this computer"; `build.spec` packs it."""

import sys

from desktop.system.program import forget_our_libraries

if __name__ == "__main__":
    forget_our_libraries()
    from hub.__main__ import main

    sys.exit(main())
