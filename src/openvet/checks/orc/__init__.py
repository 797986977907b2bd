"""Rules about ORC tables."""
