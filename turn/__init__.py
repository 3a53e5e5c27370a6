"""What a turn knows and says: its state, its context, its question, its prompts and material."""
