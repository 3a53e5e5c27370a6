"""Chat models: hosted, bundled reader, in-process llama.cpp."""
