"""Chat models: hosted, bundled extractive model, in-process llama.cpp."""
