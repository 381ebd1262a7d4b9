"""What is said beside a file of somebody's computer, so that a browser does nothing but save it."""

from __future__ import annotations

HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}
"""A browser saves a file of somebody's computer; it never runs it as a page of this hub."""
