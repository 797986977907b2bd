"""Policy: evidence in, decision out. Never opens a subject's file."""
