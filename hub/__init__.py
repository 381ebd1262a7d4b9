"""The hub: relays what people say to the machines that do it; never sees a file or a model."""
