# Generated from core/definitions/hvm_params.py by xenmig.scapy_layers.generate; do not edit.
"""Parameters of HVM guests by name: xen/include/public/hvm/params.h.

Which of them a sender writes: tools/libs/guest/xg_sr_save_x86_hvm.c; what a receiver takes: xen/arch/x86/hvm/hvm.c,
hvm_allow_set_param and hvm_set_param.
"""

from __future__ import annotations

from xenmig.core.definitions import hvm_params as hvm_params_definitions
from xenmig.scapy_layers.fields import Named, Number
from xenmig.scapy_layers.lists import Structs
from xenmig.scapy_layers.packets import StructPacket


class HvmParam(StructPacket):
    """One parameter of an HVM guest.

    Source: libxc-migration-stream, HVM_PARAMS; xen/include/public/hvm/params.h.
    index: which parameter
    value: its value; parameters that are zero are left out
    """

    name = "hvm_params hvm param"
    definition = "hvm_params.HvmParam"
    size = 16
    fields_desc = [
        Named("index", 0, "u64", "which parameter", values=hvm_params_definitions.Index),
        Number("value", 0, "u64", "its value; parameters that are zero are left out", hexadecimal=True),
    ]


class HvmParams(StructPacket):
    """Parameters of an HVM guest.

    Source: libxc-migration-stream, HVM_PARAMS.
    Guests: HVM.
    count: how many parameters
    reserved1: reserved, zero
    params: the parameters
    """

    name = "hvm_params hvm params"
    definition = "hvm_params.HvmParams"
    fields_desc = [
        Number("count", None, "u32", "how many parameters", counts="params"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Structs("params", HvmParam, "the parameters", count="count"),
    ]
