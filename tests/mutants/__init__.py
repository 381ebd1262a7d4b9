"""Planted bugs: small patches against the product, and the rung that must find each (rung T6).

`bugs/<name>.patch` says what is wrong and who must find it, then follows a diff. A rung that finds
none of its bugs tests nothing.

    python -m tests.mutants                     every bug, by the first rung it names
    python -m tests.mutants gap_accepted --all  one bug, by all rungs it names
"""
