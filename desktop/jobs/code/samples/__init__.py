"""Small repositories with real bugs, for the demo and for tests; built when they are wanted."""
