"""With --state, registers and device state go, and what a reader needs to make sense of the records stays."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests import valid_streams
from tests.bodies import HVM_VIRIDIAN, PV, real_stream
from tests.corpus import requires_corpus, sample
from tests.scrubs import copy_of, scrubbed
from tests.valid_streams import VALID, checkpointed, hvm, in_libxl, record
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import Record
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.bodies import decode
from xenmig.core.definitions.guest import Guest
from xenmig.core.definitions.hvm_cpu import HvmHwCpu
from xenmig.core.definitions.typecodes import Typecode
from xenmig.core.scrub.extent import extents

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def bodies(path: Path) -> dict[tuple[str, int | None], Any]:
    """The decoded bodies of a save file, by layer and type."""
    guest = Guest()
    found: dict[tuple[str, int | None], Any] = {}
    for _, events in Reading(str(path)):
        for event in events:
            if type(event) is Record and event.body is not None:
                found[event.layer, event.type] = decode(event.layer, event.type, event.body, guest, event.byteorder)
    return found


@requires_corpus
def test_registers_of_an_hvm_guest_become_zeros_and_its_modes_stay(tmp_path: Path) -> None:
    scrubbed(sample(HVM_VIRIDIAN).unpacked(), tmp_path / "copy", state=True)
    old = real_stream(HVM_VIRIDIAN).body(libxc.HvmContext.record or 0).value.entries
    new = bodies(tmp_path / "copy")["libxc", libxc.HvmContext.record].entries
    assert [one.descriptor for one in new] == [one.descriptor for one in old]
    pairs = [(one.value, other.value) for one, other in zip(old, new, strict=True)]
    cpus = [pair for pair in pairs if isinstance(pair[0], HvmHwCpu)]
    assert len(cpus) >= 1
    for one, other in cpus:
        assert one.rip
        assert one.rsp
        gone = ("rax", "rip", "rsp", "cr2", "cr3", "fs_base", "gdtr_base", "sysenter_eip", "msr_lstar", "tsc")
        assert [getattr(other, name) for name in gone] == [0] * len(gone)
        assert (other.cr0, other.cr4, other.msr_efer, other.rflags) == (one.cr0, one.cr4, one.msr_efer, one.rflags)
    by_code = {int(one.descriptor.typecode): one for one in new}
    assert by_code[Typecode.HEADER].value.cpuid == {int(one.descriptor.typecode): one for one in old}[1].value.cpuid
    assert by_code[Typecode.LAPIC].value.timer_divisor


@requires_corpus
def test_registers_of_a_pv_guest_become_zeros_and_its_frame_numbers_stay(tmp_path: Path) -> None:
    scrubbed(sample(PV).unpacked(), tmp_path / "copy", state=True)
    old = real_stream(PV).body(libxc.X86PvVcpuBasic.record or 0).value
    new = bodies(tmp_path / "copy")["libxc", libxc.X86PvVcpuBasic.record]
    assert old.user_regs.rip
    assert (new.user_regs.rip, new.user_regs.rsp, new.kernel_sp, new.event_callback_eip) == (0, 0, 0, 0)
    assert not any(trap.address for trap in new.trap_ctxt)
    assert (new.cr3, new.gdt_frames, new.flags) == (old.cr3, old.gdt_frames, old.flags)
    assert new.user_regs.rdx == old.user_regs.rdx != 0


@requires_corpus
def test_of_qemus_state_the_headers_of_its_devices_stay(tmp_path: Path) -> None:
    from xenmig.core.definitions.qemu import device_state

    scrubbed(sample(HVM_VIRIDIAN).unpacked(), tmp_path / "copy", state=True)
    old = real_stream(HVM_VIRIDIAN).body(libxl.EmulatorContext.record or 0, "libxl").data[8:]
    found = bodies(tmp_path / "copy")["libxl", libxl.EmulatorContext.record]
    new = found.magic.to_bytes(4, "big") + found.version.to_bytes(4, "big") + found.sections
    one, other = device_state(old), device_state(new)
    assert len(one.sections) > 10
    assert [repr(section) for section in other.sections] == [repr(section) for section in one.sections]
    assert (other.machine, other.version) == (one.machine, one.version)
    for section in other.sections:
        assert not new[section.data : section.end].strip(b"\0")


@pytest.mark.parametrize("name", [*VALID, "Remus"])
def test_streams_that_were_right_are_right(name: str, tmp_path: Path) -> None:
    stream = bytes(checkpointed() if name == "Remus" else VALID[name]())
    copy = copy_of(stream, tmp_path, configuration=True, state=True)
    assert valid_streams.rules_broken(copy) == valid_streams.rules_broken(stream)


def test_an_msr_keeps_a_value_since_senders_leave_out_those_that_are_zero(tmp_path: Path) -> None:
    body = struct.pack("<HHI", 1, 0, 24) + valid_streams.HVM_CONTEXT[8:32]
    msrs = struct.pack("<I4xIIQ", 1, 0x48, 0, 0xDEADBEEF)
    body += struct.pack("<HHI", 20, 0, len(msrs)) + msrs + struct.pack("<HHI", 0, 0, 0)
    copy = copy_of(bytes(in_libxl(hvm().replaced("hvm context", record(9, body)))), tmp_path, state=True)
    at = copy.index(struct.pack("<II", 9, len(body)))
    assert struct.unpack_from("<I4xIIQ", copy, at + 8 + len(body) - 8 - len(msrs)) == (1, 0x48, 0, 1)


@requires_corpus
@pytest.mark.parametrize("name", [HVM_VIRIDIAN, PV])
def test_the_fields_of_a_body_lie_where_their_bytes_are(name: str) -> None:
    for body in real_stream(name).bodies:
        at = 0
        for extent in extents(body.value, 0, len(body.data)):
            assert at <= extent.start <= extent.end <= len(body.data)
            at = extent.end
            found = extent.owner.__dict__[extent.name]
            if extent.field.is_number and isinstance(found, int):
                data = body.data[extent.start : extent.end]
                signed = extent.field.kind.startswith("i")
                assert int.from_bytes(data, "big" if extent.field.big else "little", signed=signed) == found
        assert at == len(body.data)
