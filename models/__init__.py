"""The models, each behind a Protocol for chat, embeddings, vision, OCR and speech, one file a provider."""
