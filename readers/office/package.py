"""The parts of an Office package (DOCX) with their links to each other (ECMA-376 part 2)."""

from __future__ import annotations

import io
import posixpath
import re
import warnings
from dataclasses import dataclass, field
from zipfile import ZIP_DEFLATED, ZipFile

from lxml import etree

from domain.errors import FileCorrupt
from readers.archive import read_member

LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_RELATION = f"{_RELATIONS}Relationship"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
"""Names of ISO 29500 Strict; the older ones are made of the same words."""


@dataclass(slots=True)
class Part:
    """A part of the package: its member, its XML, and what its link ids lead to (kind and member; outside: none)."""

    member: str
    root: etree._Element
    links: dict[str, tuple[str, str]] = field(default_factory=dict)


class Package:
    """Reads the parts of an open package, and writes it out again with those that were changed."""

    def __init__(self, archive: ZipFile, name: str) -> None:
        """Look at `archive`, which its owner closes; `name` is the file's, for error texts."""
        self._archive = archive
        self._name = name
        self._members = set(archive.namelist())
        self._parts: dict[str, Part] = {}

    @property
    def document(self) -> Part:
        """The main part.

        Raises:
            FileCorrupt: There is none, or its XML is broken.
        """
        members = (member for kind, member in self.links("").values() if kind == "officeDocument")
        part = self.part(next(members, "word/document.xml"))
        if part is None:
            raise FileCorrupt(name=self._name)
        return part

    def part(self, member: str) -> Part | None:
        """Return a part, read once; `None` for one that is not there.

        Raises:
            FileCorrupt: Its XML is broken.
        """
        if member not in self._parts:
            data = self.data(member)
            if data is None:
                return None
            self._parts[member] = Part(member, self._parsed(data), self.links(member))
        return self._parts[member]

    def related(self, part: Part, kind: str) -> Part | None:
        """Return the part that `part` is linked to as its only one of `kind`."""
        members = (member for found, member in part.links.values() if found == kind and member)
        return self.part(next(members, f"word/{kind}.xml"))

    def linked(self, part: Part, link: str | None) -> Part | None:
        """Return the part that the link id `link` leads to."""
        member = part.links.get(link or "", ("", ""))[1]
        return self.part(member) if member else None

    def data(self, member: str) -> bytes | None:
        """Return the bytes of a member; `None` for one that is not there.

        Raises:
            FileCorrupt: It is broken.
        """
        return read_member(self._archive, member, self._name) if member in self._members else None

    def adopt(self, element: etree._Element, source: Part, target: Part) -> None:
        """Make the links inside `element`, which moves from `source` to `target`, lead to the same parts.

        Links to the outside are taken away.
        """
        for node in element.iter(etree.Element):
            for attribute, value in node.attrib.items():
                if not str(attribute).startswith(LINK):
                    continue
                kind, member = source.links.get(str(value), ("", ""))
                name = f"{source.member}:{value}"
                if member:
                    target.links[name] = (kind, member)
                    node.set(attribute, name)
                else:
                    del node.attrib[attribute]

    def with_part(self, data: bytes, part: Part) -> io.BytesIO:
        """Return the package whose file is `data` with one part as it is now."""
        file = io.BytesIO()
        file.write(data)
        with warnings.catch_warnings(), ZipFile(file, "a", ZIP_DEFLATED, compresslevel=1) as archive:
            warnings.simplefilter("ignore", UserWarning)  # of two members of one name readers take the later one
            archive.writestr(part.member, etree.tostring(part.root, encoding="UTF-8", xml_declaration=True))
            archive.writestr(_links_of(part.member), self._links_xml(part))
        file.seek(0)
        return file

    def links(self, member: str) -> dict[str, tuple[str, str]]:
        """Return what the link ids of a member lead to: kind, and member (empty for what is outside)."""
        data = self.data(_links_of(member))
        links: dict[str, tuple[str, str]] = {}
        for link in [] if data is None else self._parsed(data).iter(_RELATION):
            kind = str(link.get("Type") or "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", posixpath.dirname(member), str(link.get("Target") or "")))
            outside = link.get("TargetMode") == "External"
            links[str(link.get("Id"))] = (kind, "" if outside else target.lstrip("/"))
        return links

    def _links_xml(self, part: Part) -> bytes:
        """Return the links of a changed part: those it had, and those that it took over."""
        member = _links_of(part.member)
        data = self.data(member)
        root = etree.Element(f"{_RELATIONS}Relationships") if data is None else self._parsed(data)
        known = {str(link.get("Id")) for link in root.iter(_RELATION)}
        for name, (kind, target) in part.links.items():
            if name not in known and target:
                etree.SubElement(root, _RELATION, Id=name, Type=f"{LINK[1:-1]}/{kind}", Target=f"/{target}")
        return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))

    def _parsed(self, data: bytes) -> etree._Element:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        words = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", data)
        try:
            return etree.fromstring(words, parser)
        except etree.XMLSyntaxError as error:
            raise FileCorrupt(name=self._name) from error


def _links_of(member: str) -> str:
    folder, name = posixpath.split(member)
    return posixpath.join(folder, "_rels", f"{name}.rels")
