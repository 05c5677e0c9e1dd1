"""Documents and their syntax trees (tree-sitter). Knows no model and no protocol."""
