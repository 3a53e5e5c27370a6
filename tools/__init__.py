"""What the model may call, one file a tool, and the registry."""
