"""Conversations that are kept: a tree of messages each, in the SQL database, and the index that finds words in them."""
