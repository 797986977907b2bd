"""Rules about who published a model: names that resemble a known publisher's, and claims to be one."""
