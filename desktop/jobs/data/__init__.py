"""Tables: reading files as people really have them, and saying what is in them."""
