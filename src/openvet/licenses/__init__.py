"""Licences: which are declared of a model, and whose texts are found in it."""
