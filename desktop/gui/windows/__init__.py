"""One package a window. A window knows the bridge and its parts, never another window."""
