"""First program of a Landlock box: walls itself in, starts the command behind a second wall.

    python -I -S start.py WALL -- COMMAND …      WALL: as `desktop/core/code/landlock.py` writes it

    starter ── supervisor (`start`, first wall, no filter)
                 ├── command  (second wall, filter; what it starts is in there with it)
                 └── reaper   (behind the same walls: `kill -1` reaches all in them, and no other)

The filter hands `connect`, `chmod` and the like to the supervisor. It reads what is asked for into
its own memory and does it itself, so that nothing can be changed after it was looked at. The
standard library alone, and little of it, for it starts with every process of a box: no pathlib,
json, socket or contextlib (60 ms together); no site-packages, no environment.

Sources: landlock(7), seccomp_unotify(2), linux/landlock.h, linux/seccomp.h, linux/capability.h.
"""
