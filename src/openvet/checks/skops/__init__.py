"""Rules about skops files."""
