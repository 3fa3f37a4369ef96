"""The documents of schema 1."""
