"""Formats: one module a format, found by walking this folder. ``_format`` is the contract."""
