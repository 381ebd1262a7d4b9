"""The protocol's ends and the pure decisions around them, against a model: rung T0.

`machine` plays with one `paper_hub`, several `paper_worker`s and the `line`s between them: the
real ends, boards, lives and attempts, and stores that are a few dictionaries.

    python -m tests.protocol_machine --examples 1000 --seed 1
"""
