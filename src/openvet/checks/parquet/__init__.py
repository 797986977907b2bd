"""Rules about Parquet tables."""
