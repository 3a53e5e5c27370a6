"""What stands before every route: middleware, keys, errors, logs, metrics."""
