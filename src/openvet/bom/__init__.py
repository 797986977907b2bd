"""Bills of materials: predicates in, documents of others out. Nothing here opens a subject's file."""
