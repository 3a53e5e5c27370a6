"""Specialists that the assistant delegates to, one a file, each a subgraph of the drawn graph."""
