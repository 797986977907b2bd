"""MessagePack: lies about arrays, extensions that nobody knows, pickles inside."""
