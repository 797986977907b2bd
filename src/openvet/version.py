"""The version, in a module that imports nothing, so that ``openvet --version`` is instant."""

VERSION = "0.1.0"

#: The day on which what the rules know of published advisories was last brought up to date: written by hand, with the rules.
ADVISORIES_OF = "2026-11-28"
