"""Media types that the readers know, and the file names they go by."""

from __future__ import annotations

PDF = "application/pdf"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = _OFFICE + "wordprocessingml.document"
PPTX = _OFFICE + "presentationml.presentation"
XLSX = _OFFICE + "spreadsheetml.sheet"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
_OPEN = "application/vnd.oasis.opendocument."
ODT = _OPEN + "text"
ODS = _OPEN + "spreadsheet"
ODP = _OPEN + "presentation"
EPUB = "application/epub+zip"
RTF = "application/rtf"
EML = "message/rfc822"
HTML = "text/html"
MARKDOWN = "text/markdown"
CSV = "text/csv"
TSV = "text/tab-separated-values"
TEXT = "text/plain"
JSON = "application/json"
JSON_LINES = "application/x-ndjson"
SVG = "image/svg+xml"
ENCRYPTED = "application/encrypted"
OCTETS = "application/octet-stream"

LANGUAGES: dict[str, str] = {
    "text/x-python": "python",
    "text/javascript": "javascript",
    "text/typescript": "typescript",
    "text/jsx": "jsx",
    "text/tsx": "tsx",
    "text/x-java": "java",
    "text/x-kotlin": "kotlin",
    "text/x-scala": "scala",
    "text/x-c": "c",
    "text/x-c++": "cpp",
    "text/x-csharp": "csharp",
    "text/x-go": "go",
    "text/x-rust": "rust",
    "text/x-ruby": "ruby",
    "text/x-php": "php",
    "text/x-swift": "swift",
    "text/x-r": "r",
    "text/x-lua": "lua",
    "text/x-perl": "perl",
    "text/x-dart": "dart",
    "text/x-sh": "bash",
    "text/x-powershell": "powershell",
    "text/x-sql": "sql",
    "text/x-yaml": "yaml",
    "text/x-toml": "toml",
    "text/x-ini": "ini",
    "text/xml": "xml",
    "text/css": "css",
    "text/x-vue": "vue",
    "text/x-diff": "diff",
    "text/x-tex": "latex",
    "text/x-dockerfile": "dockerfile",
    "text/x-makefile": "makefile",
    "text/x-proto": "protobuf",
    SVG: "xml",
}
"""Source code and the like: media type to the word after the Markdown fence."""

_CODE_NAMES: dict[str, str] = {
    "text/x-python": ".py .pyi .pyw",
    "text/javascript": ".js .mjs .cjs",
    "text/typescript": ".ts .mts .cts",
    "text/jsx": ".jsx",
    "text/tsx": ".tsx",
    "text/x-java": ".java",
    "text/x-kotlin": ".kt .kts",
    "text/x-scala": ".scala",
    "text/x-c": ".c .h",
    "text/x-c++": ".cc .cpp .cxx .hpp .hh",
    "text/x-csharp": ".cs",
    "text/x-go": ".go",
    "text/x-rust": ".rs",
    "text/x-ruby": ".rb",
    "text/x-php": ".php",
    "text/x-swift": ".swift",
    "text/x-r": ".r",
    "text/x-lua": ".lua",
    "text/x-perl": ".pl .pm",
    "text/x-dart": ".dart",
    "text/x-sh": ".sh .bash .zsh",
    "text/x-powershell": ".ps1",
    "text/x-sql": ".sql",
    "text/x-yaml": ".yaml .yml",
    "text/x-toml": ".toml",
    "text/x-ini": ".ini .cfg .conf .properties .env",
    "text/xml": ".xml .xsd .xsl .xslt",
    "text/css": ".css .scss .less",
    "text/x-vue": ".vue .svelte",
    "text/x-diff": ".diff .patch",
    "text/x-tex": ".tex .bib",
    "text/x-dockerfile": "dockerfile",
    "text/x-makefile": "makefile .mk",
    "text/x-proto": ".proto",
}

BY_EXTENSION: dict[str, str] = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".doc": DOC,
    ".pptx": PPTX,
    ".ppt": PPT,
    ".xlsx": XLSX,
    ".xls": XLS,
    ".odt": ODT,
    ".ods": ODS,
    ".epub": EPUB,
    ".rtf": RTF,
    ".eml": EML,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdx": MARKDOWN,
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".txt": TEXT,
    ".log": TEXT,
    ".rst": TEXT,
    ".json": JSON,
    ".ipynb": JSON,
    ".geojson": JSON,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".svg": SVG,
} | {name: media_type for media_type, names in _CODE_NAMES.items() for name in names.split()}
"""Lower-case extension (or whole file name) to media type."""
