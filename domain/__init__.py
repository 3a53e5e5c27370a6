"""What every room speaks of: types, owners, errors, languages, text. No I/O."""
