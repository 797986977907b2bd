"""Rules about documents of Office."""
