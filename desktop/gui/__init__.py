"""Tray and windows. Qt is met here alone; data and deeds come from `desktop.desk`."""
