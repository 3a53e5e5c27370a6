"""Services of others, played at protocol level on loopback."""
