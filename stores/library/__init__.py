"""What lives in files: the catalog, documents, chunks, vectors."""
