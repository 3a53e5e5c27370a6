"""E-books (EPUB): the chapters of the spine in order."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from domain.errors import FileCorrupt, FileEncrypted
from readers.archive import open_archive, read_member
from readers.figures import Figures
from readers.interface import Item, Options, Outline, Page
from readers.sections import section_pages
from readers.text.encodings import decode_page
from readers.text.markup import seen_markdown

_CHAPTER_ENDS = (".xhtml", ".html", ".htm", ".xml")
_CHAPTER_TYPES = re.compile(r"(?:x?html|x-oeb1-document|dtbook)", re.I)
_DECLARATION = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?(?:encoding\s*=\s*[\"']([\w.:-]{2,30})[\"'][^>]{0,100}?)?\?>"
)
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
        title, chapters, missing = _spine(archive, options.name)
        figures = Figures(options.max_pixels)
        pages: list[Page] = []
        for chapter in chapters:
            try:
                pages += _chapter_pages(archive, chapter, figures, options.name)
            except FileCorrupt:
                missing += 1
    if chapters and missing and not pages:
        raise FileCorrupt(name=options.name)
    warnings = (f"chapters_missing:{missing}",) if missing else ()
    yield Outline(options.media_type, "section", len(pages), title, warnings=warnings)
    for number, page in enumerate(pages, 1):
        label = page.label if not page.label.isdigit() else str(number)
        yield figures.finish(replace(page, number=number, label=label))


def _parse(data: bytes, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise FileCorrupt(name=name) from error


def _spine(archive: ZipFile, name: str) -> tuple[str, list[str], int]:
    """Return the book's title, the members of its chapters in reading order, and how many chapters are not there.

    Old books have other namespaces or none, and names in another case than their files.
    """
    package_path = _package_path(archive, name)
    package = _parse(read_member(archive, package_path, name), name)
    items = {item.get("id"): item for item in package.iter("{*}item")}
    order = [items.get(reference.get("idref")) for reference in package.iter("{*}itemref")]
    folder = posixpath.dirname(package_path)
    members = {member.lower(): member for member in archive.namelist()} | {
        member: member for member in archive.namelist()
    }
    chapters: list[str] = []
    missing = 0
    for item in order or [item for item in items.values() if item.get("properties") != "nav"]:
        href = "" if item is None else unquote(item.get("href", "").partition("#")[0])
        kind = "" if item is None else item.get("media-type", "")
        if kind.startswith("image/") or not (_CHAPTER_TYPES.search(kind) or href.lower().endswith(_CHAPTER_ENDS)):
            missing += bool(order)
            continue
        path = posixpath.normpath(posixpath.join(folder, href))
        member = members.get(path) or members.get(path.lower())
        missing += member is None
        chapters += [member] if member and member not in chapters else []
    title = next((str(element.text or "").strip() for element in package.iter("{*}title", "{*}Title")), "")
    return title, chapters, missing


def _package_path(archive: ZipFile, name: str) -> str:
    """Return the member of the book's package: as the container names it, else the only one there."""
    names = archive.namelist()
    if "META-INF/container.xml" in names:
        container = _parse(read_member(archive, "META-INF/container.xml", name), name)
        paths = [str(root.get("full-path") or "").lstrip("/") for root in container.iter("{*}rootfile")]
        paths += [member for member in names if member.lower() in {path.lower() for path in paths}]
        if found := [path for path in paths if path in names]:
            return found[0]
    packages = [member for member in names if member.lower().endswith(".opf")]
    if not packages:
        raise FileCorrupt(name=name)
    return packages[0]


def _chapter_pages(archive: ZipFile, member: str, figures: Figures, name: str) -> list[Page]:
    """Return the sections of a chapter.

    Raises:
        FileCorrupt: It is broken, or far too large.
    """
    data = read_member(archive, member, name)
    if len(data) > _MAX_CHAPTER:
        raise FileCorrupt(name=name)

    def picture(source: str) -> str:
        if _ELSEWHERE.match(source):
            return ""
        return figures.place(_picture(archive, posixpath.join(posixpath.dirname(member), unquote(source)), name))

    markdown, hidden = seen_markdown(_decoded(data), picture)
    first, *others = section_pages(markdown) or [Page(1, "1", "")]
    return [replace(first, hidden=hidden), *others] if markdown.strip() or hidden else []


def _picture(archive: ZipFile, member: str, name: str) -> bytes | None:
    try:
        return read_member(archive, posixpath.normpath(member), name)
    except FileCorrupt:
        return None


def _decoded(data: bytes) -> str:
    """Decode a chapter by its XML declaration, and leave that out: HTML parsers refuse it."""
    declaration = _DECLARATION.match(data)
    stated = declaration[1] if declaration else None
    text = decode_page(data, stated.decode("ascii") if stated else "utf-8")
    return text.split("?>", 1)[1] if text.lstrip("\ufeff \n").startswith("<?xml") and "?>" in text else text


def _refuse_encrypted(archive: ZipFile, name: str) -> None:
    if "META-INF/encryption.xml" not in archive.namelist():
        return
    tree = _parse(read_member(archive, "META-INF/encryption.xml", name), name)
    methods = {element.get("Algorithm") for element in tree.iter("{*}EncryptionMethod")}
    if methods - _FONT_SCRAMBLING:
        raise FileEncrypted(name=name)
