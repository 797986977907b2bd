"""What the documents about a model declare, leave out, and get wrong: model and data set cards, evaluation results, Croissant, CITATION.cff."""
