"""The terminal client: a user of the HTTP API like any other; it imports nothing of the server."""
