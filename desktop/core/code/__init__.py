"""What coding jobs decide, without running anything."""
