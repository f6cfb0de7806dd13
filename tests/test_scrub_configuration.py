"""With --configuration, nothing tells whose guest it was, and what is left is as long and as well-formed as before."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scrubs import copy_of
from tests.valid_streams import hvm, in_libvirt, in_libxl, in_xl
from xenmig.core.scrub.texts import hidden, hidden_json, hidden_xenstore, hidden_xml, is_text

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = (
    "Tr0ub4dor",
    "customer-db-7",
    "/srv/images",
    "00:16:3e:5e:6c:00",
    "1c0fc2ba",
    "backup.example.org",
    "5901pass",
)
CONFIG: dict[str, Any] = {
    "c_info": {"type": "hvm", "name": "customer-db-7", "uuid": "1c0fc2ba-349c-4c5b-817b-5432e2cccb49"},
    "b_info": {
        "max_vcpus": 4,
        "target_memkb": 1048576,
        "claim_mode": "True",
        "extra": ["root=/srv/images/vg", "Tr0ub4dor"],
        "type.hvm": {
            "vnc": {"enable": "True", "passwd": "Tr0ub4dor/&3", "listen": "backup.example.org", "display": 1},
            "spice": {"passwd": '5901pass\\u00e4"x'},
            "serial": "file:/srv/images/log",
            "boot": "c",
        },
    },
    "disks": [{"pdev_path": "/srv/images/disk.img", "vdev": "hda", "format": "raw", "readwrite": 1}],
    "nics": [{"mac": "00:16:3e:5e:6c:00", "bridge": "customer-db-7", "model": "rtl8139"}],
    "on_reboot": "restart",
}
XML = """<domain type='xen' id='3'>
  <!-- Tr0ub4dor > see customer-db-7 -->
  <name>customer-db-7</name><uuid>1c0fc2ba-349c-4c5b-817b-5432e2cccb49</uuid>
  <memory unit='KiB'>1048576</memory><vcpu placement='static'>4</vcpu>
  <os><type arch='x86_64' machine='xenfv'>hvm</type><loader type='rom'>/srv/images/hvmloader</loader></os>
  <on_reboot>restart</on_reboot>
  <devices>
    <disk type='file' device='disk'><source file="/srv/images/a'b.img"/><target dev='hda' bus='ide'/></disk>
    <interface type='bridge'><mac address='00:16:3e:5e:6c:00'/><source bridge='customer-db-7'/></interface>
    <graphics type='vnc' port='5901' passwd='5901pass' listen='backup.example.org'/>
    <title>Tr0ub4dor &amp; co <![CDATA[customer-db-7]]></title>
  </devices>
</domain>
"""


def test_json_keeps_its_shape_its_words_and_its_numbers() -> None:
    text = json.dumps(CONFIG, indent=4).encode() + b"\0"
    new = hidden_json(text)
    assert len(new) == len(text)
    assert not any(secret.encode() in new for secret in SECRETS)
    value = json.loads(new.rstrip(b"\0"))
    assert value["c_info"] == {"type": "hvm", "name": "x" * 13, "uuid": "00000000-0000-0000-0000-000000000000"}
    assert value["b_info"]["max_vcpus"] == 4
    assert value["b_info"]["claim_mode"] == "True"
    assert value["b_info"]["type.hvm"]["vnc"] == {
        "enable": "True", "passwd": "x" * 12, "listen": "x" * 18, "display": 1,
    }  # fmt: skip
    assert value["b_info"]["type.hvm"]["serial"] == "xxxxx/xxx/xxxxxx/xxx"
    assert value["disks"] == [{"pdev_path": "/xxx/xxxxxx/xxxxxxxx", "vdev": "hda", "format": "raw", "readwrite": 1}]
    assert value["nics"] == [{"mac": "00:00:00:00:00:00", "bridge": "x" * 13, "model": "rtl8139"}]


def test_xml_keeps_its_shape_its_words_and_its_numbers() -> None:
    text = XML.encode() + b"\0"
    new = hidden_xml(text)
    assert len(new) == len(text)
    assert not any(secret.encode() in new for secret in SECRETS)
    old_tree, new_tree = ET.fromstring(XML), ET.fromstring(new.rstrip(b"\0"))
    assert [one.tag for one in new_tree.iter()] == [one.tag for one in old_tree.iter()]
    assert [new_tree.findtext(name) for name in ("memory", "vcpu", "os/type")] == ["1048576", "4", "hvm"]
    disk = new_tree.find("devices/disk")
    assert disk is not None
    assert disk.attrib == {"type": "file", "device": "disk"}
    assert [one.attrib for one in disk] == [{"file": "/xxx/xxxxxx/xxxxxxx"}, {"dev": "hda", "bus": "ide"}]
    graphics = new_tree.find("devices/graphics")
    assert graphics is not None
    assert graphics.attrib == {"type": "vnc", "port": "5901", "passwd": "x" * 8, "listen": "x" * 18}


@pytest.mark.parametrize(
    "text", [b"<a secret>", b"<!DOCTYPE secret>", b"<?secret?>", b"<a b='secret", b"secret", b"<a b=secret/>"]
)
def test_what_is_no_domain_xml_is_hidden_altogether(text: bytes) -> None:
    assert b"secret" not in hidden_xml(text)


def test_xenstore_data_keeps_places_and_sizes() -> None:
    text = b"physmap/0/start_addr\0f0000000\0physmap/0/size\x00800000\0physmap/0/name\0vga.vram\0odd/key\0secret\0"
    new = hidden_xenstore(text)
    assert new == (
        b"physmap/0/start_addr\0f0000000\0physmap/0/size\x00800000\0physmap/0/name\0xxxxxxxx\0xxx/xxx\0xxxxxx\0"
    )


@pytest.mark.parametrize("hide", [hidden, hidden_json, hidden_xml, hidden_xenstore])
@given(text=st.binary(max_size=200))
def test_whatever_the_text_is_its_length_stays(hide: Any, text: bytes) -> None:
    assert len(hide(text)) == len(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\/\u00e4\n ', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"\\', max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_json_stays_json_of_the_same_shape(value: Any) -> None:
    def shape(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: shape(inner) for key, inner in one.items()}
        return [shape(inner) for inner in one] if isinstance(one, list) else None if isinstance(one, str) else one

    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only).encode()
        new = hidden_json(text)
        assert len(new) == len(text)
        assert shape(json.loads(new)) == shape(value)


@pytest.mark.parametrize(
    "text", [b'{"a": secret}\0', b"name = 'secret'\nvnc = 1\n\0", b'"secret', b'{"passwd": secret']
)
def test_what_is_no_json_is_hidden_altogether(text: bytes) -> None:
    assert b"secret" not in hidden_json(text)


def test_both_configurations_are_hidden_in_a_copy_and_kept_otherwise(tmp_path: Path) -> None:
    config = json.dumps(CONFIG).encode() + b"\0"
    xml = in_libvirt(in_libxl(hvm()))
    xml = xml.replaced("domain xml", XML.encode() + b"\0")
    header = xml.data("libvirt header")
    xml = xml.replaced("libvirt header", header[:20] + len(xml.data("domain xml")).to_bytes(4, "little") + header[24:])
    for stream in bytes(in_xl(in_libxl(hvm()), config=config)), bytes(xml):
        kept, gone = copy_of(stream, tmp_path), copy_of(stream, tmp_path, configuration=True)
        assert b"customer-db-7" in kept
        assert b"5901pass" in kept
        assert not any(secret.encode() in gone for secret in SECRETS)
        assert len(kept) == len(gone) == len(stream)


def test_what_is_no_text_is_no_configuration() -> None:
    assert is_text(b"{}\n\t\0\0")
    assert is_text("\u00e4".encode())
    for data in b"\xff", b"a\0b", b"\x1b[31m", b"LibxlFmt\0\0\0\x02x":
        assert not is_text(data)
