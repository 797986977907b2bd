"""Rules about OpenVINO networks."""
