"""Rules about Avro tables."""
