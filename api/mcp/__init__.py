"""The MCP endpoint: documents, sessions and the agent for clients of the Model Context Protocol."""
