"""Plots of models, painted: the same picture in the window and in the chat."""
