"""A run: how a turn is started, worked on, settled and reported."""
