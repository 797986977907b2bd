"""Whole outputs, and how they are compared."""
