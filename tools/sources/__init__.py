"""Where foreign tools come from: MCP servers, OpenAPI documents, Python entry points."""
