"""The dashboard's pages, one module for each; a module has a `router`."""
