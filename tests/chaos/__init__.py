"""Random kills with oracles."""
