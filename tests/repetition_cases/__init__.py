"""Places where a suggestion repeats what stands near: where that is an echo, and where it is right.

Written for the tests. In a document § is the cursor. Of an echo the cases give the language, the
document, what a model writes and what is left of that; of what is right, which is left as it is,
the first three.
"""
