"""Killable child processes with limits."""
