"""Mutators: the same thing in another container, in other opcodes, or in other words of the same text.

``wrappers`` put one file into a container or an encoding that loaders open, ``rewrites`` spell a pickle program differently, ``texts``
spell JSON, YAML, templates and Python differently. A hostile case stays hostile in every one of them, and a harmless one harmless in
those that are ordinary; each mutator says what has to hold. Nothing here reads a clock, and chance comes from a seeded ``Random``.
"""
