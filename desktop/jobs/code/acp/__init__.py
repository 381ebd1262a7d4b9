"""Agents as processes: started, spoken to in lines, and ended as whole trees.

`process` knows processes and no protocol, `client` the protocol's steps and their time limits.
"""
