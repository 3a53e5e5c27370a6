"""Picture description: hosted vision models; bundled picture facts and object tags."""
