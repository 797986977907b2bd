"""Logs of other tools, read into samples with scores: lm-eval's, Inspect's and HELM's. Nothing is asked and nothing scored again."""
