"""Tells events to the addresses that people gave: one lane for each, signed, and fenced in.

From the top: `sender` keeps a lane for every webhook that is on, `lane` sends one's messages in
their order, `post` makes one call, `guard` sees to it that the call goes where it may.
"""
