"""Rules about OpenVet's own installation."""
