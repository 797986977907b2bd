"""Rules about safetensors files and their shard indexes."""
