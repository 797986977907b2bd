"""Rules about the text files of a hub repository that tell a loader what to import, fetch or run."""
