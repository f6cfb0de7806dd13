# Generated from core/definitions/xsave.py by xenmig.scapy_layers.generate; do not edit.
"""Processor state in FXSAVE and XSAVE format: Intel SDM volume 1, sections 10.5 and 13.4; xen/arch/x86/xstate.c.

Where the components after the legacy region and the header lie differs between makers of processors. CPUID leaf 0xD
says where, and a stream of version 3 brings it along in its X86_CPUID_POLICY; for streams without it there are the
tables of real processors.
"""

from __future__ import annotations

from xenmig.core.definitions import registers as registers_definitions
from xenmig.core.definitions import xsave as xsave_definitions
from xenmig.scapy_layers.fields import FlagWord, Named, Number, Octets
from xenmig.scapy_layers.lists import Numbers, StructField, Structs
from xenmig.scapy_layers.packets import StructPacket


class X87Register(StructPacket):
    """One x87 register, 80 bits of 128.

    Source: Intel SDM volume 1, section 10.5.
    significand: significand; also the MMX register
    sign_exponent: sign and exponent
    unused: not used
    """

    name = "xsave x87 register"
    definition = "xsave.X87Register"
    size = 16
    fields_desc = [
        Number("significand", 0, "u64", "significand; also the MMX register", hexadecimal=True),
        Number("sign_exponent", 0, "u16", "sign and exponent", hexadecimal=True),
        Octets("unused", bytes(6), "not used", size=6),
    ]


class XmmRegister(StructPacket):
    """128 bits of a vector register.

    Source: Intel SDM volume 1, section 10.5.
    low: bits 0 to 63
    high: bits 64 to 127
    """

    name = "xsave xmm register"
    definition = "xsave.XmmRegister"
    size = 16
    fields_desc = [
        Number("low", 0, "u64", "bits 0 to 63", hexadecimal=True),
        Number("high", 0, "u64", "bits 64 to 127", hexadecimal=True),
    ]


class Fxsave(StructPacket):
    """The x87 and SSE registers, 512 bytes.

    Source: Intel SDM volume 1, section 10.5.
    fcw: x87 control word; 0x37f after a reset
    fsw: x87 status word
    ftw: which x87 registers are in use, a bit each
    unused: not used
    fop: opcode of the last x87 instruction
    fip: address of the last x87 instruction; with selectors, 32 bits of it and cs
    fdp: address of its operand; with selectors, 32 bits of it and ds
    mxcsr: SSE control and status
    mxcsr_mask: bits of mxcsr that the processor has
    st: x87 registers, top of stack first
    xmm: XMM registers
    reserved1: reserved
    software: left to software
    fip_width: Xen's own: how wide fip was saved
    """

    name = "xsave fxsave"
    definition = "xsave.Fxsave"
    size = 512
    fields_desc = [
        Number("fcw", 0, "u16", "x87 control word; 0x37f after a reset", hexadecimal=True),
        FlagWord("fsw", 0, "u16", "x87 status word", flags=xsave_definitions.FpuStatus),
        Number("ftw", 0, "u8", "which x87 registers are in use, a bit each", hexadecimal=True),
        Number("unused", 0, "u8", "not used"),
        Number("fop", 0, "u16", "opcode of the last x87 instruction", hexadecimal=True),
        Number(
            "fip",
            0,
            "u64",
            "address of the last x87 instruction; with selectors, 32 bits of it and cs",
            hexadecimal=True,
        ),
        Number("fdp", 0, "u64", "address of its operand; with selectors, 32 bits of it and ds", hexadecimal=True),
        FlagWord("mxcsr", 0, "u32", "SSE control and status", flags=registers_definitions.Mxcsr),
        Number("mxcsr_mask", 0, "u32", "bits of mxcsr that the processor has", hexadecimal=True),
        Structs("st", X87Register, "x87 registers, top of stack first", count=8),
        Structs("xmm", XmmRegister, "XMM registers", count=16),
        Octets("reserved1", bytes(48), "reserved", size=48),
        Octets("software", bytes(47), "left to software", size=47),
        Named("fip_width", 0, "u8", "Xen's own: how wide fip was saved", values=registers_definitions.FpuWidth),
    ]


class Ymm(StructPacket):
    """Upper halves of YMM0 to YMM15.

    Source: Intel SDM volume 1, section 13.4.
    ymm_high: bits 128 to 255 of each
    """

    name = "xsave ymm"
    definition = "xsave.Ymm"
    size = 256
    fields_desc = [
        Structs("ymm_high", XmmRegister, "bits 128 to 255 of each", count=16),
    ]


class Bound(StructPacket):
    """One bounds register of MPX.

    Source: Intel SDM volume 1, section 13.4.
    lower: lower bound
    upper: upper bound, in one's complement
    """

    name = "xsave bound"
    definition = "xsave.Bound"
    size = 16
    fields_desc = [
        Number("lower", 0, "u64", "lower bound", hexadecimal=True),
        Number("upper", 0, "u64", "upper bound, in one's complement", hexadecimal=True),
    ]


class Bndregs(StructPacket):
    """The bounds registers of MPX.

    Source: Intel SDM volume 1, section 13.4.
    bnd: BND0 to BND3
    """

    name = "xsave bndregs"
    definition = "xsave.Bndregs"
    size = 64
    fields_desc = [
        Structs("bnd", Bound, "BND0 to BND3", count=4),
    ]


class Bndcsr(StructPacket):
    """Configuration and status of MPX.

    Source: Intel SDM volume 1, section 13.4.
    bndcfgu: configuration for user mode
    bndstatus: status
    unused: not used
    """

    name = "xsave bndcsr"
    definition = "xsave.Bndcsr"
    size = 64
    fields_desc = [
        Number("bndcfgu", 0, "u64", "configuration for user mode", hexadecimal=True),
        Number("bndstatus", 0, "u64", "status", hexadecimal=True),
        Octets("unused", bytes(48), "not used", size=48),
    ]


class Opmask(StructPacket):
    """The mask registers of AVX-512.

    Source: Intel SDM volume 1, section 13.4.
    k: k0 to k7
    """

    name = "xsave opmask"
    definition = "xsave.Opmask"
    size = 64
    fields_desc = [
        Numbers("k", "u64", "k0 to k7", count=8, hexadecimal=True),
    ]


class ZmmHigh(StructPacket):
    """Upper halves of ZMM0 to ZMM15.

    Source: Intel SDM volume 1, section 13.4.
    zmm_high: bits 256 to 383 and 384 to 511 of each
    """

    name = "xsave zmm hi256"
    definition = "xsave.ZmmHigh"
    size = 512
    fields_desc = [
        Structs("zmm_high", XmmRegister, "bits 256 to 383 and 384 to 511 of each", count=32),
    ]


class HighZmm(StructPacket):
    """ZMM16 to ZMM31.

    Source: Intel SDM volume 1, section 13.4.
    zmm: four parts of 128 bits of each
    """

    name = "xsave hi16 zmm"
    definition = "xsave.HighZmm"
    size = 1024
    fields_desc = [
        Structs("zmm", XmmRegister, "four parts of 128 bits of each", count=64),
    ]


class Pkru(StructPacket):
    """Rights of the protection keys.

    Source: Intel SDM volume 1, section 13.4.
    pkru: two bits for each of 16 keys: access disabled, write disabled
    unused: not used
    """

    name = "xsave pkru"
    definition = "xsave.Pkru"
    size = 8
    fields_desc = [
        Number("pkru", 0, "u32", "two bits for each of 16 keys: access disabled, write disabled", hexadecimal=True),
        Octets("unused", bytes(4), "not used", size=4),
    ]


class TileConfiguration(StructPacket):
    """Shapes of the AMX tiles.

    Source: Intel SDM volume 1, section 13.4.
    palette: palette
    start_row: row at which an interrupted load goes on
    unused1: not used
    colsb: bytes in a row of each tile
    unused2: not used
    rows: rows of each tile
    unused3: not used
    """

    name = "xsave tilecfg"
    definition = "xsave.TileConfiguration"
    size = 64
    fields_desc = [
        Number("palette", 0, "u8", "palette"),
        Number("start_row", 0, "u8", "row at which an interrupted load goes on"),
        Octets("unused1", bytes(14), "not used", size=14),
        Numbers("colsb", "u16", "bytes in a row of each tile", count=8),
        Octets("unused2", bytes(16), "not used", size=16),
        Numbers("rows", "u8", "rows of each tile", count=8),
        Octets("unused3", bytes(8), "not used", size=8),
    ]


class TileData(StructPacket):
    """The AMX tiles.

    Source: Intel SDM volume 1, section 13.4.
    tiles: eight tiles of 1 KiB
    """

    name = "xsave tiledata"
    definition = "xsave.TileData"
    size = 8192
    fields_desc = [
        Octets("tiles", bytes(8192), "eight tiles of 1 KiB", size=8192),
    ]


class Lwp(StructPacket):
    """Lightweight profiling.

    Source: AMD APM volume 2, section 13.4.
    lwp: state of lightweight profiling
    """

    name = "xsave lwp"
    definition = "xsave.Lwp"
    size = 128
    fields_desc = [
        Octets("lwp", bytes(128), "state of lightweight profiling", size=128),
    ]


class HvmHwCpuXsave(StructPacket):
    """Extended processor state of a vcpu.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu_xsave.
    Since Xen 4.1.
    xfeature_mask: what the sender's processor has; ignored by the receiver
    xcr0: components enabled now
    xcr0_accum: components ever enabled: those that are saved
    fpu_sse: legacy region
    xstate_bv: components that are not in their initial state
    xcomp_bv: zero: the standard format, not the compacted one
    reserved: reserved, zero
    components: components, at the places that CPUID leaf 0xD gives
    """

    name = "xsave cpu xsave"
    definition = "xsave.HvmHwCpuXsave"
    fields_desc = [
        FlagWord(
            "xfeature_mask",
            0,
            "u64",
            "what the sender's processor has; ignored by the receiver",
            flags=registers_definitions.XState,
        ),
        FlagWord("xcr0", 0, "u64", "components enabled now", flags=registers_definitions.XState),
        FlagWord(
            "xcr0_accum",
            0,
            "u64",
            "components ever enabled: those that are saved",
            flags=registers_definitions.XState,
        ),
        StructField("fpu_sse", Fxsave, "legacy region"),
        FlagWord(
            "xstate_bv",
            0,
            "u64",
            "components that are not in their initial state",
            flags=registers_definitions.XState,
        ),
        Number("xcomp_bv", 0, "u64", "zero: the standard format, not the compacted one", hexadecimal=True),
        Octets("reserved", bytes(48), "reserved, zero", size=48),
        Octets("components", b"", "components, at the places that CPUID leaf 0xD gives"),
    ]
