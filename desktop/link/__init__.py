"""The line to the hub: pairing once, then one outbound WebSocket that comes back by itself."""
