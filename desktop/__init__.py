"""The worker: the program on each of a person's machines, with or without a tray icon."""
