"""Wires the nodes of a turn: builder, routing, and the entry for LangGraph Studio."""
