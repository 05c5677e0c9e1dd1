"""Protocol only: positions, capabilities, cancellation, progress. Knows lsprotocol and pygls."""
