"""Power cuts: every disk state that a cut may leave, opened with the product's own code.

    deeds (a real program under strace) ──▶ trace ──▶ disk: an image per cut ──▶ judge

`python -m tests.power --images 50000 --seed 7` draws that many images and prints one line.
"""
