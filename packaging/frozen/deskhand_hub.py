"""Main of the hub for "just this computer"; `build.spec` packs it."""

import sys

from desktop.system.program import forget_our_libraries

NEVER_HERE = ("pandas", "numpy")
"""Beside the job runner lie pieces of them that no hub can use; sqlite-utils would try to."""

if __name__ == "__main__":
    forget_our_libraries()
    for name in NEVER_HERE:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    from hub.__main__ import main

    sys.exit(main())
