"""What the built-in agent can do: files, searching, commands; each tool a function of arguments."""
