"""Tests of `stores/memories/`."""
