"""How large a job's result may be."""

from __future__ import annotations

RESULT_BYTES_MAX = 64 * 1024
"""A result travels as an event; what is larger belongs into a file beside the input."""
