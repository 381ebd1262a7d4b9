"""Language models, as far as it can be decided without calling one."""
