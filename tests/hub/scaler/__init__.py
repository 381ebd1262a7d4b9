"""The scaler: its file, its steps, its commands."""
