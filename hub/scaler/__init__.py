"""The scaler: a program of its own that asks the hub what waits, decides, and tells the hosts."""
