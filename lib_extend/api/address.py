"""Where the API is."""

PREFIX = "/prompt-extend/v1"
"""What the address of every route begins with, on every host."""
