"""E-books (EPUB): the chapters of the spine in order."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from domain.errors import FileCorrupt, FileEncrypted
from readers.archive import open_archive, read_member
from readers.figures import Figures
from readers.interface import Item, Options, Outline, Page
from readers.sections import section_pages
from readers.text.markup import to_markdown

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_CHAPTERS = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}
_FONT_SCRAMBLING = {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
_ELSEWHERE = re.compile(r"[a-zA-Z][\w+.-]*:|//")
_MAX_CHAPTER = 20 * 1024 * 1024


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the chapters' sections of the EPUB file at `path`.

    Raises:
        FileTooLarge: a zip bomb by its directory.
        FileCorrupt: its package or spine is broken.
        FileEncrypted: its chapters are under digital rights management.
    """
    with open_archive(path, options.name) as archive:
        _refuse_encrypted(archive, options.name)
        title, chapters = _spine(archive, options.name)
        figures = Figures(options.max_pixels)
        pages = [page for chapter in chapters for page in _chapter_pages(archive, chapter, figures, options.name)]
    yield Outline(options.media_type, "section", len(pages), title)
    for number, page in enumerate(pages, 1):
        yield figures.finish(Page(number, page.label if not page.label.isdigit() else str(number), page.markdown))


def _parse(data: bytes, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise FileCorrupt(name=name) from error


def _spine(archive: ZipFile, name: str) -> tuple[str, list[str]]:
    """Return the book's title and the archive members of its chapters in reading order."""
    container = _parse(read_member(archive, "META-INF/container.xml", name), name)
    root = container.find(f".//{_CONTAINER}rootfile")
    if root is None:
        raise FileCorrupt(name=name)
    package_path = root.get("full-path", "")
    package = _parse(read_member(archive, package_path, name), name)
    items = {item.get("id"): item for item in package.iter(f"{_OPF}item")}
    folder = posixpath.dirname(package_path)
    members = set(archive.namelist())
    chapters = []
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type") in _CHAPTERS:
            member = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
            if member in members and member not in chapters:
                chapters.append(member)
    return package.findtext(f".//{_DC_TITLE}") or "", chapters


def _chapter_pages(archive: ZipFile, member: str, figures: Figures, name: str) -> list[Page]:
    data = read_member(archive, member, name)
    if len(data) > _MAX_CHAPTER:
        raise FileCorrupt(name=name)

    def picture(source: str) -> str:
        if _ELSEWHERE.match(source):
            return ""
        return figures.place(_picture(archive, posixpath.join(posixpath.dirname(member), unquote(source)), name))

    return section_pages(to_markdown(_decoded(data), picture))


def _picture(archive: ZipFile, member: str, name: str) -> bytes | None:
    try:
        return read_member(archive, posixpath.normpath(member), name)
    except FileCorrupt:
        return None


def _decoded(data: bytes) -> str:
    """Decode XHTML (UTF-8 or UTF-16 by its standard) without its XML declaration, which HTML parsers refuse."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    return text.split("?>", 1)[1] if text.lstrip().startswith("<?xml") and "?>" in text else text


def _refuse_encrypted(archive: ZipFile, name: str) -> None:
    if "META-INF/encryption.xml" not in archive.namelist():
        return
    tree = _parse(read_member(archive, "META-INF/encryption.xml", name), name)
    methods = {element.get("Algorithm") for element in tree.iter("{*}EncryptionMethod")}
    if methods - _FONT_SCRAMBLING:
        raise FileEncrypted(name=name)
