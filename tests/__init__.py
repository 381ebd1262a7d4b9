"""The tests mirror the packages; benchmarks stand beside them."""
