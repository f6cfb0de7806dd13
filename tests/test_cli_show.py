"""What ``show`` and ``records --json`` say of bodies: registers, policies, parameters, devices, configuration."""

from __future__ import annotations

import json
import struct
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.bodies import END, HVM, HVM_VIRIDIAN, PV, PVH, entry, every_sample, real_streams
from tests.command import xenmig
from tests.corpus import Sample, requires_corpus, sample
from tests.streams import HVM_CONTEXT, XENSTORE_DATA, StreamBuilder, guest
from xenmig.core.cli.bodytext import view
from xenmig.core.cli.configurationtext import concealed
from xenmig.core.cli.meaningjson import meaning
from xenmig.core.cli.structtext import struct_lines
from xenmig.core.cli.values import fields, names
from xenmig.core.definitions import configuration
from xenmig.core.definitions.bodies import decode
from xenmig.core.definitions.guest import Guest

if TYPE_CHECKING:
    from pathlib import Path


def record(name: str, record: str) -> dict[str, Any]:
    """The only record of that name in a sample, as JSON."""
    lines = xenmig("records", "--json", sample(name).unpacked()).lines
    (found,) = (one for one in lines if one["name"] == record)
    return dict(found)


def shown(name: str, wanted: str, *options: str) -> str:
    """What show prints of that record."""
    result = xenmig("show", *options, sample(name).unpacked(), str(record(name, wanted)["record"]))
    assert result.code == 0
    assert not result.err
    return result.out


@requires_corpus
def test_registers_are_in_their_groups_four_on_a_line() -> None:
    out = shown(HVM_VIRIDIAN, "HVM_CONTEXT")
    assert "2 (CPU) vcpu 0" in out
    assert (
        "      rax 0000000000000007  rbx 00000000a4c64840  rcx 0000000000000000  rdx 00000000000003f8\n"
        "      rsi 0000000000007d04  rdi 00000000001df100  rbp 0000000000000000  rsp 0000000000007c00\n"
    ) in out
    assert "cr0 0000000000000010  ET" in out


@requires_corpus
def test_segment_attributes_are_in_words() -> None:
    out = shown(HVM_VIRIDIAN, "HVM_CONTEXT")
    assert "cs  0000  0000000000000000  0000ffff  009b  code, execute and read, accessed, 16-bit, dpl 0\n" in out
    assert "008b  TSS, busy, dpl 0\n" in out
    assert "ldtr  0000  0000000000000000  00000000  0000  not present\n" in out


@requires_corpus
def test_times_are_in_seconds() -> None:
    out = shown(HVM_VIRIDIAN, "HVM_CONTEXT")
    assert "tsc 165,572,063,599 (63.777 s at 2,596.129 MHz)" in out
    assert "569,348,105 x 100 ns" in out
    assert "(56.935 s)" in out
    assert "time 26-11-22 09:15:13" in out


@requires_corpus
def test_raw_gives_the_bytes_beside_each_entry() -> None:
    magic = struct.pack("<II", 0x54381286, 1).hex(" ")
    assert magic not in shown(HVM, "HVM_CONTEXT")
    assert shown(HVM, "HVM_CONTEXT", "--raw").count(magic) >= 1


@requires_corpus
def test_a_cpu_policy_says_what_processor_it_is_and_what_it_can() -> None:
    out = shown(HVM, "X86_CPUID_POLICY")
    for words in ("AuthenticAMD (AMD)", "family 23 (0x17), model 1", "X87 SSE YMM, area of 832 bytes"):
        assert words in out
    assert "featureset 178bfbfd:f6f83203:" in out
    assert " fsgsbase bmi1 avx2 bmi2 adx clflushopt\n" in out


@requires_corpus
def test_msrs_have_names_and_bits() -> None:
    out = shown(HVM, "X86_MSR_POLICY")
    assert "0x000000ce  0000000080000000  PLATFORM_INFO      CPUID_FAULTING\n" in out


@requires_corpus
def test_parameters_have_names_and_values_in_words() -> None:
    out = shown(HVM_VIRIDIAN, "HVM_PARAMS")
    lines = {parts[1]: line for line in out.splitlines() if len(parts := line.split()) > 2}
    assert "0xfeffc" in lines["STORE_PFN"]
    assert "0x1865" in lines["VIRIDIAN"]
    words = " ".join(out.split())
    assert "(base_freq, time_ref_count, apic_assist, crash_ctl, no_vp_limit, cpu_hotplug)" in words
    assert "with its size: address 0xfc100280, 384 bytes" in words
    assert max(map(len, out.splitlines())) <= 120


@requires_corpus
def test_a_pv_vcpu_is_shown_by_the_width_of_its_guest() -> None:
    out = shown(PV, "X86_PV_VCPU_BASIC")
    assert "rip ffffffff81a39075" in out
    assert "page tables: root at pfn 0x5062\n" in out
    assert "GDT of 16 descriptors, in pfns 0x7a0b\n" in out
    assert "trap handlers: 33 of 256 vectors\n" in out
    assert "0x80    0013:ffffffff81027e90  dpl 3, events masked\n" in out
    assert "YMM: 256 bytes at 576\n" in shown(PV, "X86_PV_VCPU_XSAVE")
    assert "wallclock at system time 0: 2026-11-22 08:59:45" in shown(PV, "SHARED_INFO")
    # As X86_TSC_INFO has it, from the other side: what a guest multiplies its TSC by.
    assert "the TSC runs at 2,596.129 MHz" in shown(PV, "SHARED_INFO")


@requires_corpus
def test_the_devices_of_qemu_have_names() -> None:
    out = shown(HVM_VIRIDIAN, "EMULATOR_CONTEXT")
    assert "25 sections found" in out
    assert "0000:00:01.1/ide" in out
    assert "Only QEMU knows where a device's data ends" in out


@requires_corpus
def test_json_carries_the_decoded_bodies() -> None:
    context = record(HVM_VIRIDIAN, "HVM_CONTEXT")
    entries = context["fields"]["entries"]
    assert [one["typecode"] for one in entries][:3] == [1, 2, 3]
    assert entries[1]["data"]["rip"] == 0x7C4B
    assert context["names"]["entries"][1]["typecode"] == "CPU"
    assert context["names"]["entries"][1]["data"]["cr0"] == ["ET"]
    params = record(HVM_VIRIDIAN, "HVM_PARAMS")
    assert {"index": 1, "value": 0xFEFFC} in params["fields"]["params"]
    assert {"index": "STORE_PFN"} in params["names"]["params"]
    vcpu = record(PV, "X86_PV_VCPU_BASIC")
    assert vcpu["fields"]["user_regs"]["rip"] == 0xFFFFFFFF81A39075


@requires_corpus
def test_json_says_what_the_fields_alone_do_not() -> None:
    policy = record(HVM, "X86_CPUID_POLICY")["meaning"]
    assert (policy["vendor"], policy["family"], policy["model"]) == ("AuthenticAMD", 23, 1)
    assert "AVX2" in policy["features"]
    assert policy["featureset"].startswith("178bfbfd:")
    params = record(HVM_VIRIDIAN, "HVM_PARAMS")["meaning"]
    assert params["STORE_PFN"] == "pfn 0xfeffc"
    (component,) = record(PV, "X86_PV_VCPU_XSAVE")["meaning"]["components"]
    assert (component["name"], component["offset"], component["size"]) == ("YMM", 576, 256)
    assert component["in_use"]
    assert len(component["fields"]["ymm_high"]) == 16
    devices = record(HVM_VIRIDIAN, "EMULATOR_CONTEXT")["meaning"]
    assert "0000:00:01.1/ide" in [one["name"] for one in devices["sections"]]
    headers = xenmig("show", "--json", sample(HVM_VIRIDIAN).unpacked(), "header").lines
    (described,) = (one["meaning"] for one in headers if "meaning" in one)
    assert (described["name"], described["vcpus"], described["memory_kib"]) == ("hvm2", 2, 16384)
    assert [one["kind"] for one in described["devices"]] == ["disk", "vga"]


def test_json_has_the_components_of_the_xsave_areas_in_an_hvm_context() -> None:
    # Masks, legacy region and header, then the upper half of YMM0.
    area = (
        struct.pack("<3Q", 7, 7, 7) + bytes(512) + struct.pack("<8Q", 7, *[0] * 7) + struct.pack("<32Q", 5, *[0] * 31)
    )
    context = entry(16, 1, area) + END
    value = decode("libxc", HVM_CONTEXT, context, Guest())
    assert value is not None
    described = meaning(value)
    assert described is not None
    (only,) = described["xsave"]
    assert only["vcpu"] == 1
    (component,) = only["components"]
    assert component["fields"]["ymm_high"][0] == {"low": 5, "high": 0}


@requires_corpus
@pytest.mark.parametrize("name", [HVM, HVM_VIRIDIAN, PV, PVH])
def test_show_and_records_agree_on_every_record(name: str) -> None:
    path = sample(name).unpacked()
    lines = [one for one in xenmig("records", "--json", path).lines if one["name"] != "PAGE_DATA"]
    assert len(lines) > 5
    for one in lines:
        (same,) = xenmig("show", "--json", path, str(one["record"])).lines
        assert {key: value for key, value in same.items() if key != "stream"} == one
        assert "problems" not in one


@pytest.mark.parametrize("real", every_sample(), ids=repr)
def test_no_body_of_a_real_stream_has_a_problem(real: Sample) -> None:
    lines = xenmig("records", "--json", real.unpacked()).lines
    assert lines
    assert not [one for one in lines if "problems" in one]


def test_mutated_bodies_are_shown_without_a_fault_and_fit_for_a_terminal() -> None:
    random = Random(5)
    shown = 0
    for real in every_sample():
        for stream in real_streams(real):
            for body in stream.bodies[-12:]:
                for _ in range(10):
                    data = bytearray(body.data)
                    for _ in range(random.randint(1, 8) if data else 0):
                        data[random.randrange(len(data))] = random.randrange(256)
                    del data[random.randrange(len(data) + 1) if random.random() < 0.3 else len(data) :]
                    value = decode(body.layer, body.type, bytes(data), stream.guest)
                    assert value is not None
                    for line in struct_lines(value, view(stream.guest, raw=random.random() < 0.5)):
                        assert line.isprintable(), line
                    json.dumps([fields(value), names(value), meaning(value)])
                    shown += 1
    assert shown > 100


def test_a_body_that_is_wrong_is_shown_with_what_is_wrong(tmp_path: Path) -> None:
    built = guest()
    record = built.at(HVM_CONTEXT)
    path = tmp_path / "stream"
    # The length of the second entry, behind two headers and the first entry.
    path.write_bytes(built.replaced(record.offset + 8 + 8 + 24 + 4, struct.pack("<I", 5)))
    result = xenmig("show", path, str(built.records.index(record)))
    assert result.code == 0
    assert "3 (PIC)" in result.out
    assert "  ! entries[1]" in result.out


@pytest.mark.parametrize("size", range(0, 120, 7))
def test_every_cut_of_a_body_is_shown_without_a_fault(tmp_path: Path, size: int) -> None:
    for type in range(1, 19):
        built = StreamBuilder().libxc().record(type, bytes(range(size))).record(0)
        path = tmp_path / f"stream-{type}"
        path.write_bytes(built.data)
        assert _lines(path, "0")


def _lines(path: Path, index: str) -> str:
    # In this process: starting one for each of them would take minutes.
    import contextlib
    import io

    from xenmig.core.cli.main import main

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["show", str(path), index]) == 0
        assert main(["show", "--json", str(path), index]) == 0
    return out.getvalue()


SECRET = "hunter2"
CONFIG = {
    "c_info": {"name": "guest", "type": "hvm"},
    "b_info": {"type.hvm": {"vnc": {"enable": "True", "passwd": SECRET}}},
    "vfbs": [{"vnc": {"passwd": SECRET}}],
}


@pytest.mark.parametrize("options", [[], ["--json"], ["--raw"], ["--raw", "--json"]])
def test_passwords_in_the_configuration_are_hidden_unless_asked_for(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "stream"
    path.write_bytes(_configured(json.dumps(CONFIG, indent=4).encode()))
    hidden = xenmig("show", *options, path, "header")
    assert hidden.code == 0
    assert SECRET not in hidden.out
    assert configuration.HIDDEN in hidden.out
    assert SECRET in xenmig("show", "--secrets", *options, path, "header").out


@pytest.mark.parametrize(
    "text",
    [
        b'{"vnc": {"passwd" : "hunter2", "x": 1',
        b'{"passwd": "hunter2',
        b'{"passwd": hunter2}',
        b'{"password":\n\t"hunter2 \\" hunter2"}',
    ],
)
def test_passwords_are_hidden_in_a_configuration_that_is_damaged(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "stream"
    path.write_bytes(_configured(text))
    out = xenmig("show", path, "header").out
    assert configuration.HIDDEN in out
    assert SECRET not in out


@pytest.mark.parametrize("quote", ["'", '"'])
def test_passwords_in_libvirts_xml_are_hidden(quote: str) -> None:
    xml = f"<graphics type='vnc' passwd={quote}{SECRET}{quote} port='5900'/>".encode()
    hidden = concealed(xml)
    assert SECRET.encode() not in hidden
    assert hidden.startswith(b"<graphics type='vnc' passwd=")
    assert hidden.endswith(b" port='5900'/>")
    assert SECRET.encode() not in concealed(xml[: xml.index(b"2") + 1])
    assert concealed(b"<graphics type='vnc' passwd=''/>") == b"<graphics type='vnc' passwd=''/>"


def test_components_of_an_xsave_area_are_shown_where_the_policy_puts_them() -> None:
    ymm = struct.pack("<QQ", 0x1122334455667788, 0x99AABBCCDDEEFF00) + bytes(240)
    legacy = struct.pack("<HH", 0x37F, 0) + bytes(508)
    body = struct.pack("<IIQQ", 3, 0, 7, 7) + legacy + struct.pack("<QQ", 4, 0) + bytes(48) + ymm
    value = decode("libxc", 6, body, Guest())
    assert value is not None
    lines = list(struct_lines(value, view()))
    assert "  vcpu 3" in lines
    assert "  YMM: 256 bytes at 576" in lines
    assert "    ymm_high[0]  99aabbccddeeff00 1122334455667788" in lines
    assert "    the other 15 of ymm_high are zero" in lines


def _configured(config: bytes) -> bytes:
    """An xl stream whose configuration is ``config``."""
    built = StreamBuilder().libxc().static_data(3).record(0).data
    text = config + b"\0"
    optional = struct.pack("<I", len(text)) + text
    magic = b"Xen saved domain, xl format\n \0 \r"
    header = magic + struct.pack("<IIII", 0x01020304, 3, 0, len(optional))
    libxl = struct.pack(">QII", 0x4C6962786C466D74, 2, 0) + struct.pack("<II", 1, 0)
    return header + optional + libxl + built + struct.pack("<II", 0, 0)


def test_xenstore_data_is_shown_as_pairs(tmp_path: Path) -> None:
    body = struct.pack("<II", 2, 0) + b"physmap/1f0/start\0" + b"f0000000\x1b[2J\0"
    built = StreamBuilder().libxl()
    path = tmp_path / "stream"
    path.write_bytes(built.record(XENSTORE_DATA, body).record(0).data)
    out = xenmig("show", path, "0").out
    assert "physmap/1f0/start = f0000000\\x1b[2J\n" in out


SAVE_HEADER = (1, 0, 24, 0x54381286, 1, 0, 0x800F12, 2_400_000)


@pytest.mark.parametrize("image", ["<", ">"])
@pytest.mark.parametrize("stream", ["<", ">"])
def test_an_hvm_context_is_read_in_the_byte_order_in_which_verify_reads_it(
    stream: str, image: str, tmp_path: Path
) -> None:
    context = struct.pack(f"{image}HHIIIQIIHHI", *SAVE_HEADER, 0, 0, 0)
    built = StreamBuilder(stream).libxc().static_data(3).pages([0])
    path = tmp_path / "stream"
    path.write_bytes(built.tsc_info().record(HVM_CONTEXT, context).record(0).data)
    number = next(one["record"] for one in xenmig("records", "--json", path).lines if one["name"] == "HVM_CONTEXT")
    shown = xenmig("show", path, str(number)).out
    told = {finding["rule"] for finding in json.loads(xenmig("verify", "--json", path).out)["streams"][0]["findings"]}
    readable = image in ("<", stream)
    assert ("[0] 1 (HEADER)" in shown) is readable
    assert ("gtsc_khz   2,400,000 kHz" in shown) is readable
    assert ({"libxc-hvm-context-header", "hvm-context-chain"} <= told) is not readable
    assert "hvm-context-vcpus" in told
