"""What flows through a turn and in which order: state, context, routing, builder."""
