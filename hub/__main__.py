"""`deskhand-hub`: serve, invite, chat, doctor, keys, dead, backup, scaler, demo and the others.

Only the command's own code is imported, and only once it is chosen: help is instant.
"""

from __future__ import annotations

import os
import sys

from hub.options import make_parser
from shared.errors import AppError
from shared.plain_text import plain


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 when it went well, 1 when it did not, 2 for a wrong command line."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        return int(options.run(options))
    except AppError as error:
        if (logs := sys.modules.get("shared.logs")) is not None and logs.tell_end(error):
            return 1
        print(f"deskhand-hub: {plain(error.message)}", file=sys.stderr)
        if error.hint:
            print(f"  {plain(error.hint)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
