"""Python sources to a deduplicated, filtered, split corpus."""
