"""ExecuTorch programs: code that the runtime does not bring."""
