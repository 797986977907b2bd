"""How open a release is, by the rules of others and by each of them alone: Model Openness Framework, Open Source AI Definition, AI Act."""
