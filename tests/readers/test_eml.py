"""Messages as mail programs write them: stubs of plain text, raw bytes in headers, wrapped messages and invitations."""

from __future__ import annotations

import base64
import struct

import pytest

from tests.readers.conftest import Read

HEAD = b"From: Ada <ada@example.org>\r\nDate: Mon, 04 May 2026 10:00:00 +0800\r\nMIME-Version: 1.0\r\n"
INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Harbour walk
DTSTART;TZID=Europe/Riga:20260504T093000
DTEND;TZID=Europe/Riga:20260504T110000
LOCATION:Gate 7\\, north quay
ORGANIZER;CN=Ines Duarte:mailto:ines@example.org
ATTENDEE;CN=Bo:mailto:bo@example.org
ATTENDEE:mailto:mei@example.org
DESCRIPTION:Bring boots.
END:VEVENT
END:VCALENDAR
"""


def part(kind: str, body: str | bytes, *headers: str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return "\r\n".join([f"Content-Type: {kind}", *headers, "", ""]).encode() + data


def multipart(kind: str, *parts: bytes, edge: str = "edge") -> bytes:
    inner = b"".join(b"--%s\r\n%s\r\n" % (edge.encode(), one) for one in parts)
    return part(f'multipart/{kind}; boundary="{edge}"', inner + b"--%s--\r\n" % edge.encode())


def message(content: bytes, subject: bytes = b"Order") -> bytes:
    return HEAD + b"Subject: " + subject + b"\r\n" + content


ORDER = "<h1>Order 5521</h1><table><tr><th>Item</th><th>Price</th></tr><tr><td>Kettle</td><td>39.90</td></tr></table>"
STUB = part("text/plain", "Your program cannot show HTML.")
RICH = part("text/html; charset=utf-8", ORDER + "<p>Delivery on 12 May between 9 and 11.</p>")
PLAIN = part(
    "text/plain; charset=utf-8", "Order 5521: Kettle, 39.90. Delivery on 12 May between 9 and 11. Item, price."
)
FOOTER = part("text/plain", "Sent through the list.")


@pytest.mark.parametrize(
    ("content", "there", "gone"),
    [
        (multipart("alternative", STUB, RICH), ["12 May", "| Kettle | 39.90 |"], []),
        (multipart("alternative", PLAIN, RICH), ["Kettle, 39.90"], ["| Kettle"]),
        (multipart("mixed", multipart("alternative", PLAIN, RICH, edge="b"), FOOTER), ["12 May", "the list"], ["|"]),
        (multipart("mixed", RICH, FOOTER), ["12 May", "Sent through the list."], []),
        (multipart("alternative", PLAIN, multipart("related", RICH, edge="b")), ["12 May"], ["| Kettle"]),
    ],
)
async def test_the_form_that_says_more_is_read(read: Read, content: bytes, there: list[str], gone: list[str]) -> None:
    _, pages, _ = await read(message(content), "a.eml")
    assert not [text for text in there if text not in pages[0].markdown]
    assert not [text for text in gone if text in pages[0].markdown]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("关于四月份电费的通知".encode("gbk"), "关于四月份电费的通知"),
        ("关于四月份电费的通知".encode(), "关于四月份电费的通知"),
        (b"=?gb2312?B?" + base64.b64encode("朱镕基会议纪要".encode("gbk")) + b"?=", "朱镕基会议纪要"),
        (b"=?utf-8?B?5oql5Lu3?=\r\n =?utf-8?B?5Y2V?= 2026", "报价单 2026"),
        (b"=?utf-8?Q?caf=C3=A9?= opens", "café opens"),
        (b"=?nonsense?B?5oql5Lu3?=", "报价"),
    ],
)
async def test_subjects(read: Read, subject: bytes, expected: str) -> None:
    outline, pages, _ = await read(message(part("text/plain", "body"), subject), "a.eml")
    assert outline.title == expected
    assert f"- Subject: {expected}" in pages[0].markdown


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
async def test_an_attached_message_is_a_message_however_it_is_encoded(read: Read, encoding: str) -> None:
    inner = message(part("text/plain; charset=utf-8", "The offer is 777 dollars, caf\u00e9 included."), b"Offer")
    wrapped = {"base64": base64.encodebytes(inner), "quoted-printable": inner.replace(b"=", b"=3D"), "8bit": inner}
    attached = part("message/rfc822; name=offer.eml", wrapped[encoding], f"Content-Transfer-Encoding: {encoding}")
    _, _, embedded = await read(message(multipart("mixed", part("text/plain", "See below."), attached)), "a.eml")
    assert [file.name for file in embedded] == ["offer.eml"]
    _, pages, _ = await read(embedded[0].data, "offer.eml")
    assert "The offer is 777 dollars, caf\u00e9 included." in pages[0].markdown


async def test_an_invitation_says_what_when_where_and_with_whom(read: Read) -> None:
    content = multipart("alternative", part("text/plain", "You are invited."), part("text/calendar", INVITATION))
    _, pages, embedded = await read(message(content), "a.eml")
    assert pages[0].markdown.split("\n\n", 2)[2] == (
        "You are invited.\n\n## Harbour walk\n\n"
        "- Start: 2026-05-04 09:30 Europe/Riga\n- End: 2026-05-04 11:00 Europe/Riga\n"
        "- Place: Gate 7, north quay\n- Organiser: Ines Duarte (ines@example.org)\n"
        "- Attendees: Bo (bo@example.org), mei@example.org\n- Description: Bring boots."
    )
    assert embedded == []


def tnef(text: bytes, name: bytes, data: bytes) -> bytes:
    """An Outlook container with a plain body and one file."""

    def attribute(level: int, kind: int, value: bytes) -> bytes:
        return struct.pack("<BII", level, kind, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    rendered = struct.pack("<HIHHI", 1, 0xFFFFFFFF, 32, 32, 0)
    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
        + attribute(1, 0x0002800C, text + b"\0")
        + attribute(2, 0x00069002, rendered)
        + attribute(2, 0x00018010, name + b"\0")
        + attribute(2, 0x0006800F, data)
    )


async def test_an_outlook_container_is_unpacked(read: Read) -> None:
    packed = base64.encodebytes(tnef(b"The rent is 910 francs.", b"lease.txt", b"nine weeks"))
    container = part("application/ms-tnef; name=winmail.dat", packed, "Content-Transfer-Encoding: base64")
    outline, pages, embedded = await read(message(multipart("mixed", part("text/plain", ""), container)), "a.eml")
    assert "The rent is 910 francs." in pages[0].markdown
    assert [(file.name, file.data) for file in embedded] == [("lease.txt", b"nine weeks")]
    assert outline.warnings == ()
    broken = container[:-40]
    outline, _, embedded = await read(message(multipart("mixed", part("text/plain", "Hello."), broken[:90])), "a.eml")
    assert (outline.warnings, embedded) == (("parts_not_read:1",), [])
