"""Repairs of a document's problems: found by rules and by the model, offered when proven better."""
