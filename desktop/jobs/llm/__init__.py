"""Executors for language models; all but the statistics run in the shared child, as coroutines."""
