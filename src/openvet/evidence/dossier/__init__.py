"""A dossier: everything that is said about one model, signed, logged and indexed, in one folder. The spec page is ``index.md``."""
