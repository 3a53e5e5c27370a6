"""Votes on answers, and what is learned of them: changes that had to prove themselves, and can be taken back."""
