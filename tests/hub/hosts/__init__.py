"""Hosts of the fleet: one suite, on real processes and containers, and on strict fakes."""
