"""Serialized Java objects."""
