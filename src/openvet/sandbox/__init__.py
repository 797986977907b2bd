"""The only door to running anything of a subject's: a child process that can compute and answer, and nothing else.

``confines`` says how much a child may spend, ``worker`` starts one and talks to it, ``child`` is its side of the talk, and
``seal`` takes every right away from it before it sees the first byte of a subject.
"""
