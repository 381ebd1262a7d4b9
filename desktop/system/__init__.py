"""What differs between operating systems: folders, safes for secrets, hardware, one instance."""
