"""The steps of a turn, one public coroutine a file."""
