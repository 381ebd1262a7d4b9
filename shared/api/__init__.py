"""The REST API in types: what its routes take and give, for the hub and for programs that call it.

One module a resource; pydantic alone, so that a client needs no web server.
"""
