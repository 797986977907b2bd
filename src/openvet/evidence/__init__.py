"""Evidence: statements about a subject, as values and as JSON. Nothing here opens a subject's file."""
