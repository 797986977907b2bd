"""Published figures about training and serving a model, held against each other: plain numbers in, a predicate out."""
