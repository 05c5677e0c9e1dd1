"""What the model is trained to do: cuts of documents into prompts and answers."""
