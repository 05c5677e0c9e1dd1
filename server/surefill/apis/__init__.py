"""Calls of APIs: what is called with what, and what is usually done with the result."""
