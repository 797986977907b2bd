"""Checks: one module a rule in ``<family>/<rule>.py``, found by walking this folder. ``_check`` is the contract."""
