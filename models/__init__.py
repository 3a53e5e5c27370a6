"""Models behind one door: a Protocol each for chat, embeddings, vision, OCR and speech, one file a provider."""
