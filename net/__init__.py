"""The guarded HTTP client: every fetch of the product goes through it."""
