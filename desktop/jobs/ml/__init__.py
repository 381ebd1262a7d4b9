"""Local machine learning on tables: train, predict, list models.

A trained model is data (arrays and JSON), never a stored Python object: see `packing`.
"""
