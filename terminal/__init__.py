"""`llmchat`, one file a subcommand. The chat uses the HTTP API like any client and imports nothing of the server."""
