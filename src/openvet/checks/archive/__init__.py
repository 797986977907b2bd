"""Rules about archives and compressed streams: structure that lies, and names that are dangerous to extract."""
