"""Serialized .NET objects."""
