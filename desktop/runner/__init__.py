"""Running jobs: one child process each, watched, limited, and ended as a whole tree."""
