"""Where people talk and look; each reaches the hub only through its services."""
