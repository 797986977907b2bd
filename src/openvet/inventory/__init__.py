"""Snapshot x formats -> inventory: what the files contain, and what could not be read."""
