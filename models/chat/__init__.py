"""Chat models: hosted, bundled extractive model, llama.cpp in a process of its own."""
