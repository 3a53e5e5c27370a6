"""Word, slides, sheets, OpenDocument, RTF to pages of Markdown."""
