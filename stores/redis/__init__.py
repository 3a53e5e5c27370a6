"""What lives in Redis: memory, turns, events, conversations."""
