"""What outlives a turn: Redis, checkpoints, transcripts, run events, documents, attachments."""
