"""Rules about the templates that turn messages into a prompt."""
