"""Bounded bytes: sources, windows, archives, hashing. Nothing here knows a model format."""
