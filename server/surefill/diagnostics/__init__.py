"""What is wrong with a document: syntax problems by its tree, API problems by a type checker."""
