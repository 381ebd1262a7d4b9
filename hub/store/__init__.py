"""Plural places: the only SQL of the hub. Each function runs inside somebody's transaction."""
