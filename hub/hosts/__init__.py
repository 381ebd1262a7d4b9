"""Where nodes of the fleet are started and stopped: one module a host, one Protocol for all."""
