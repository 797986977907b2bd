"""Every version of the schema, as the step from the one before it."""
