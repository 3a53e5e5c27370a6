"""The people who use an installation: users, their keys, what they have used, what they say of themselves."""
