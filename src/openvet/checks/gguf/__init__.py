"""Rules about GGUF files and their parts."""
