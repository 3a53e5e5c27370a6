"""Picture description: hosted vision models."""
