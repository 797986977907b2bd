"""The report as one page for people: what was decided and why, everything that is known of a model, and how to check it again."""
