from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.addresses import is_public

PRIVATE = """127.0.0.1 127.255.0.3 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
100.127.255.254 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 3fff::1 100::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 5f00::1""".split()
PUBLIC = """8.8.8.8 1.1.1.1 93.184.216.34 172.15.0.1 172.32.0.1 192.169.0.1 100.63.255.255 100.128.0.1 169.253.1.1
2606:4700:4700::1111 2001:4860:4860::8888 2400:3200::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1""".split()


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_embedding_an_address_does_not_change_the_verdict(address: object) -> None:
    plain = is_public(str(address))
    number = int(address)  # type: ignore[call-overload]
    assert is_public(f"::ffff:{address}") == plain
    assert is_public(f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}") == plain
