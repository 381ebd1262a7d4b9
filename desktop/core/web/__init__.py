"""The web, as far as it can be decided without going there."""
