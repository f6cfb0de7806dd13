"""What the configuration in front of a stream says of the guest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bodies import HVM, HVM_VIRIDIAN, PV, PVH, real_stream
from tests.corpus import requires_corpus
from xenmig.core.definitions.configuration import HIDDEN, GuestConfiguration, from_json, from_xml, without_secrets

GUEST: dict[str, Any] = {
    "c_info": {"type": "hvm", "name": "web", "uuid": "1c0fc2ba-349c-4c5b-817b-5432e2cccb49"},
    "b_info": {
        "max_vcpus": 4,
        "avail_vcpus": [0, 1],
        "max_memkb": 2048,
        "target_memkb": 1024,
        "type.hvm": {
            "vga": {"kind": "std"},
            "vnc": {"listen": "0.0.0.0", "passwd": "swordfish"},
            "sdl": {"enable": "False"},
        },
    },
    "disks": [{"vdev": "hda", "format": "raw", "readwrite": 1}],
    "nics": [{"mac": "00:16:3e:00:00:01", "bridge": "xenbr0"}],
    "vfbs": [{"vnc": {"passwd": "marlin", "enable": "True"}}],
}
XML = b"""<domain type='xen'>
  <name>web</name>
  <uuid>1c0fc2ba-349c-4c5b-817b-5432e2cccb49</uuid>
  <memory unit='MiB'>2</memory>
  <currentMemory>1024</currentMemory>
  <vcpu placement='static' current='2'>4</vcpu>
  <os><type arch='x86_64' machine='xenfv'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu</emulator>
    <disk type='file' device='disk'><source file='/g.img'/><target dev='hda' bus='ide'/></disk>
    <graphics type='vnc' port='-1' passwd='swordfish'/>
  </devices>
</domain>
"""


def summary(found: GuestConfiguration) -> tuple[object, ...]:
    return (found.type, found.name, found.memory, found.max_memory, found.vcpus, found.max_vcpus)


def test_json_and_xml_of_one_guest_say_the_same() -> None:
    for found in (from_json(json.dumps(GUEST).encode() + b"\0"), from_xml(XML + b"\0")):
        assert not found.problem
        assert found.uuid == "1c0fc2ba-349c-4c5b-817b-5432e2cccb49"
        assert summary(found) == ("hvm", "web", 1024, 2048, 2, 4)


def test_devices_are_listed_with_what_is_said_of_them() -> None:
    found = from_json(json.dumps(GUEST).encode())
    assert [one.kind for one in found.devices] == ["disk", "nic", "vfb", "vga", "vnc"]
    assert found.devices[0].words == {"vdev": "hda", "format": "raw", "readwrite": "1"}
    found = from_xml(XML)
    assert [one.kind for one in found.devices] == ["disk", "graphics"]
    assert found.devices[0].words["target@dev"] == "hda"


@pytest.mark.parametrize("secret", ["swordfish", "marlin"])
def test_passwords_are_hidden_unless_asked_for(secret: str) -> None:
    text = json.dumps(GUEST)
    assert secret not in repr(from_json(text.encode()).devices)
    assert secret not in repr(without_secrets(GUEST))
    assert HIDDEN in repr(without_secrets(GUEST))
    assert secret in text
    assert "swordfish" not in repr(from_xml(XML).devices)
    assert "swordfish" in repr(from_json(text.encode(), secrets=True).devices)
    assert "swordfish" in repr(from_xml(XML, secrets=True).devices)


@pytest.mark.parametrize(
    "config",
    [b"", b"\0", b"{", b"[]", b"7", b"[" * 100_000, b"\xff\xfe{}", b'{"a": ' + b"9" * 5000 + b"}"],
)
def test_what_is_no_json_object_is_said_to_be_none(config: bytes) -> None:
    assert from_json(config).problem


@pytest.mark.parametrize("levels", [1, 60, 600, 900])
def test_json_that_is_nested_deeply_is_read_as_far_as_it_goes(levels: int) -> None:
    nested = b"[" * levels + b"]" * levels
    found = from_json(b'{"c_info": {"name": "web"}, "disks": ' + nested + b"}")
    assert found.name == "web"


@pytest.mark.parametrize("wrong", [None, 7, "text", [], [7], {"c_info": 1}, True])
def test_json_of_another_shape_is_read_as_far_as_it_goes(wrong: object) -> None:
    shape = {"c_info": wrong, "b_info": wrong, "disks": wrong, "nics": [wrong]}
    found = from_json(json.dumps(shape).encode())
    assert summary(found) == (None,) * 6


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<domain>",
        b"<other/>",
        b"text",
        b"<a>" * 100,
        b"<domain>" + b"<b>" * 100,
        b"<!DOCTYPE domain [<!ENTITY a 'aaaa'>]><domain><name>&a;</name></domain>",
        b"<domain><vcpu>" + b"9" * 5000 + b"</vcpu></domain>",
    ],
)
def test_what_is_no_domain_xml_is_said_to_be_none(xml: bytes) -> None:
    assert from_xml(xml).problem


@pytest.mark.parametrize("number", [-1, 1 << 64, 10**40])
def test_numbers_that_libxl_has_no_place_for_are_not_known(number: int) -> None:
    found = from_json(b'{"b_info": {"max_vcpus": %d, "max_memkb": %d, "target_memkb": %d}}' % ((number,) * 3))
    assert not found.problem
    assert summary(found) == (None,) * 6


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("b", 1), ("KiB", 1024), ("k", 1024), ("KB", 1000), ("MB", 10**6), ("TiB", 1 << 40), ("?", None)],
)
def test_memory_is_read_in_all_units_of_libvirt(unit: str, expected: int | None) -> None:
    found = from_xml(f"<domain><memory unit='{unit}'>1024</memory></domain>".encode())
    assert found.max_memory == expected


def test_very_long_text_is_not_gathered() -> None:
    found = from_xml(b"<domain><name>" + b"a\n" * 200_000 + b"</name></domain>")
    assert found.name is not None
    assert len(found.name) < 10_000


@requires_corpus
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (HVM, ("hvm", "hvm1", 32768, 32768, 1, 1)),
        (HVM_VIRIDIAN, ("hvm", "hvm2", 16384, 16384, 2, 2)),
        (PV, ("pv", "pv1", 131072, 131072, 1, 1)),
        (PVH, ("pvh", "pvht1", 8192, 8192, 1, 1)),
    ],
)
def test_real_configurations_are_those_of_the_guests(name: str, expected: tuple[object, ...]) -> None:
    found = from_json(real_stream(name).config)
    assert not found.problem
    assert summary(found) == expected
    kinds = [one.kind for one in found.devices]
    assert kinds.count("disk") == (1 if expected[0] == "hvm" else 0)
