"""HTTP: REST v1, LangServe, OpenAI-compatible, speech, sessions, health and metrics."""
