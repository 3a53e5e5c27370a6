"""Source code and the like: media type, the word after the Markdown fence, file names (whole ones or their ends)."""

from __future__ import annotations

from readers.media_types import SVG

_ROWS = (
    ("text/x-python", "python", ".py .pyi .pyw"),
    ("text/javascript", "javascript", ".js .mjs .cjs"),
    ("text/typescript", "typescript", ".ts .mts .cts"),
    ("text/jsx", "jsx", ".jsx"),
    ("text/tsx", "tsx", ".tsx"),
    ("text/x-java", "java", ".java"),
    ("text/x-kotlin", "kotlin", ".kt .kts"),
    ("text/x-scala", "scala", ".scala"),
    ("text/x-c", "c", ".c .h"),
    ("text/x-c++", "cpp", ".cc .cpp .cxx .hpp .hh"),
    ("text/x-csharp", "csharp", ".cs"),
    ("text/x-go", "go", ".go"),
    ("text/x-rust", "rust", ".rs"),
    ("text/x-ruby", "ruby", ".rb"),
    ("text/x-php", "php", ".php"),
    ("text/x-swift", "swift", ".swift"),
    ("text/x-r", "r", ".r"),
    ("text/x-lua", "lua", ".lua"),
    ("text/x-perl", "perl", ".pl .pm"),
    ("text/x-dart", "dart", ".dart"),
    ("text/x-sh", "bash", ".sh .bash .zsh"),
    ("text/x-powershell", "powershell", ".ps1"),
    ("text/x-sql", "sql", ".sql"),
    ("text/x-yaml", "yaml", ".yaml .yml"),
    ("text/x-toml", "toml", ".toml"),
    ("text/x-ini", "ini", ".ini .cfg .conf .properties .env"),
    ("text/xml", "xml", ".xml .xsd .xsl .xslt"),
    ("text/css", "css", ".css .scss .less"),
    ("text/x-vue", "vue", ".vue .svelte"),
    ("text/x-diff", "diff", ".diff .patch"),
    ("text/x-tex", "latex", ".tex .bib"),
    ("text/x-dockerfile", "dockerfile", "dockerfile"),
    ("text/x-makefile", "makefile", "makefile .mk"),
    ("text/x-proto", "protobuf", ".proto"),
    (SVG, "xml", ".svg"),
)

FENCES: dict[str, str] = {media_type: word for media_type, word, _ in _ROWS}
"""Media type to the word after the fence."""
NAMES: dict[str, str] = {name: media_type for media_type, _, names in _ROWS for name in names.split()}
"""Lower-case extension, or whole file name, to media type."""
