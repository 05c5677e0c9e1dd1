"""What the model should see: prefix, suffix and related code within a token budget."""
