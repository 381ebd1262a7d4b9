"""A web of our own on loopback: sites under names, at addresses that count as public."""
