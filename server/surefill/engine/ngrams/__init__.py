"""Token n-grams beside the model: a store from training, a cache of the project, their mixture."""
