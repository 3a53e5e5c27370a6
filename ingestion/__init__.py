"""From an attachment to a searchable document: read, recognise, chunk, summarise, index."""
