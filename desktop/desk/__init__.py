"""What a person can see and do at this machine, without a window: windows and commands use it."""
