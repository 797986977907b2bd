"""Workflows compose the wings; each is short."""
