"""Documents: files, pages, chunks, keyword index, vectors, search, deletion."""
