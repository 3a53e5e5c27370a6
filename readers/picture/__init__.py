"""Pictures to upright pixels and facts."""
