"""Families of architectures: one module each, found by walking this folder. ``_family`` is the contract."""
