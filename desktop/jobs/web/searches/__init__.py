"""Who is asked for pages; which one, the owner's policy says."""
