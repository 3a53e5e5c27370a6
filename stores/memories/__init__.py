"""What is remembered of people over all their conversations: items, their search, and LangGraph's store interface."""
