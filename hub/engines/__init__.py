"""Ways to carry jobs to workers. An engine reaches data only through services."""
