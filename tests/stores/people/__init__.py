"""Tests of `stores/people/`."""
