"""What turns a computer into a worker: `/worker.sh`, `/worker.ps1`, `/download` and its files.

Needs no key: nothing here is secret, and whoever has the script still needs a code.
"""
