"""The built-in coding agent: an ACP agent of its own, run in the sandbox like any other.

    __main__ ─ agent (ACP) ─┬─ peer (lines of JSON-RPC)
                            ├─ sessions (files in its home)
                            └─ work (the loop) ─┬─ gateway ──▶ POST /deskhand/turn
                                                ├─ view (what of the past is told), fenced, rounds
                                                └─ tools

It knows no key and no provider: the gateway asks the model. Nothing but the standard library is
imported, so it starts in a moment. Its tools stay in the folder out of politeness; what holds it
there is the sandbox.
"""
