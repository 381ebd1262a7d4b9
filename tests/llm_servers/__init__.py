"""Real servers of language models for tests and for trying things out: llama.cpp and aimock.

`gguf` makes a model of half a megabyte that talks nonsense, `llamacpp` serves it in a process of
its own, `aimock` speaks the wire formats of OpenAI, Anthropic and Google as somebody else reads
them. Nothing here needs a network.
"""
