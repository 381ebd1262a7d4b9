"""The Agent Client Protocol, the client's side, without I/O.

`rpc` reads and writes lines of JSON-RPC 2.0; `v1` is the codec of ACP version 1: it makes requests,
matches replies, and turns what comes into `events`, which know nothing of the wire. Another version
of the protocol is another codec that yields the same events. `forms` makes questions for people of
an agent's forms, and the form's content of their answers.
"""
