"""Which published problems of loaders and packages a model reaches."""
