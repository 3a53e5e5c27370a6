"""The bundled chat model: quotes sentences, cannot invent."""
