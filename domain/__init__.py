"""Shared vocabulary: types, owners, errors, languages, text. No I/O."""
