"""The formats of documents, a row each: how a file of it is recognised, and which module reads it.

A new format is a module with a `read(path, options)` generator, and its row here: detection, the modules that the
reading process loads, and README's list follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from readers import languages
from readers import media_types as types


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        title: What people call it, for README.
        media_type: Its media type.
        module: Whose `read` reads it, in a child process.
        extensions: Lower-case ends of file names, with their dots, separated by spaces.
        magic: What a file of it begins with.
        member: A member of its zip container, or the start of one when it ends in `/`; the more special row comes
            first. Containers that name their media type in a member `mimetype` need none.
        stream: A stream of its OLE container.
        by_page: It is read page by page; others are read as a whole, which takes longer before the first page.
    """

    title: str
    media_type: str
    module: str
    extensions: str = ""
    magic: bytes = b""
    member: str = ""
    stream: str = ""
    by_page: bool = False


FORMATS: tuple[Format, ...] = (
    Format("PDF", types.PDF, "readers.pdf.reader", ".pdf", by_page=True),
    Format("Word", types.DOCX, "readers.office.docx", ".docx", member="word/"),
    Format("Word 97-2003", types.DOC, "readers.office.doc", ".doc", stream="WordDocument"),
    Format("PowerPoint", types.PPTX, "readers.office.pptx", ".pptx", member="ppt/"),
    Format("Excel, binary", types.XLSB, "readers.office.sheets", ".xlsb", member="xl/workbook.bin"),
    Format("Excel", types.XLSX, "readers.office.sheets", ".xlsx", member="xl/"),
    Format("Excel 97-2003", types.XLS, "readers.office.sheets", ".xls", stream="Workbook"),
    Format("Excel 5", types.XLS, "readers.office.sheets", stream="Book"),
    Format("OpenDocument text", types.ODT, "readers.office.odt", ".odt"),
    Format("OpenDocument slides", types.ODP, "readers.office.odt", ".odp"),
    Format("OpenDocument sheets", types.ODS, "readers.office.sheets", ".ods"),
    Format("RTF", types.RTF, "readers.office.rtf", ".rtf", magic=b"{\\rtf"),
    Format("E-book", types.EPUB, "readers.text.epub", ".epub", member="META-INF/container.xml"),
    Format("E-mail", types.EML, "readers.text.eml", ".eml"),
    Format("Web page", types.HTML, "readers.text.html", ".html .htm .xhtml"),
    Format("Markdown", types.MARKDOWN, "readers.text.markdown", ".md .markdown .mdx"),
    Format("CSV", types.CSV, "readers.text.csv", ".csv"),
    Format("TSV", types.TSV, "readers.text.csv", ".tsv .tab"),
    Format("Text", types.TEXT, "readers.text.plain", ".txt .log .rst"),
    Format("JSON", types.JSON, "readers.text.json", ".json .geojson"),
    Format("Jupyter notebook", types.NOTEBOOK, "readers.text.notebook", ".ipynb"),
    Format("JSON Lines", types.JSON_LINES, "readers.text.json", ".jsonl .ndjson"),
    *(Format("Source code", media_type, "readers.text.code") for media_type in languages.FENCES),
)

BY_TYPE: dict[str, Format] = {row.media_type: row for row in reversed(FORMATS)}
"""Media type to its (first) row."""
BY_NAME: dict[str, str] = languages.NAMES | {end: row.media_type for row in FORMATS for end in row.extensions.split()}
"""Lower-case extension, or whole file name, to media type."""
MODULES = ("readers.reader", "readers.picture.reader", *dict.fromkeys(row.module for row in FORMATS))
"""What the process that forks reading children loads, so that no child has to."""
