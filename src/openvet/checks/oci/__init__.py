"""Rules about OCI layouts and model stores whose files are named by their digests."""
