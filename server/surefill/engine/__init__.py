"""The model: prompt in, candidates out. Knows no syntax and no protocol."""
