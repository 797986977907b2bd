"""Rules about Core ML models and packages."""
