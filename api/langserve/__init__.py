"""The graph behind LangServe."""
