"""What a body means where its fields alone do not say it, as JSON: the key "meaning" beside "fields"."""

from __future__ import annotations

from xenmig.core.cli.configurationtext import configuration_of
from xenmig.core.cli.emulatortext import emulator_state
from xenmig.core.cli.values import fields
from xenmig.core.cli.xsavetext import components_of
from xenmig.core.definitions import hvm_context, hvm_params, libxc, qemu, vcpu, xsave
from xenmig.core.definitions.cpu_policy import CpuPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.definitions.guest import Guest
    from xenmig.core.definitions.structs import Struct


def meaning(
    value: Struct, *, secrets: bool = False, guest: Guest | None = None, byteorder: str = "<"
) -> dict[str, Any] | None:
    """The processor of a CPU policy, parameters by name, QEMU's devices, the guest that a configuration describes.

    Of XSAVE areas the components, which lie where the ``guest``'s CPU policy says. None where there is nothing to add.
    """
    if isinstance(value, vcpu.X86PvVcpuXsave):
        return {"components": _components(value, guest, byteorder)}
    if isinstance(value, hvm_context.HvmContext):
        areas = [
            {"vcpu": int(entry.descriptor.instance), "components": _components(entry.value, guest, byteorder)}
            for entry in value.__dict__.get("entries", ())
            if isinstance(entry.value, xsave.HvmHwCpuXsave)
        ]
        return {"xsave": areas} if areas else None
    if isinstance(value, libxc.X86CpuidPolicy):
        return _policy(value)
    if isinstance(value, hvm_params.HvmParams):
        return _params(value)
    if isinstance(value, qemu.EmulatorContext):
        return _devices(value)
    return _configuration(value, secrets=secrets)


def _components(value: Struct, guest: Guest | None, byteorder: str) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "offset": one.place.offset,
            "size": one.place.size,
            "in_use": one.in_use,
            "fields": fields(one.value) if one.value is not None else None,
        }
        for one in components_of(value, guest, byteorder)
    ]


def _policy(value: libxc.X86CpuidPolicy) -> dict[str, Any]:
    policy = CpuPolicy(value.__dict__.get("leaves") or [])
    return {
        "vendor": policy.vendor,
        "brand": policy.brand,
        "family": policy.family,
        "model": policy.model,
        "stepping": policy.stepping,
        "physical_bits": policy.max_physical_bits,
        "xcr0": policy.xcr0.names,
        "xsave_size": policy.xsave_size,
        "featureset": policy.columns,
        "features": policy.features,
    }


def _params(value: hvm_params.HvmParams) -> dict[str, Any]:
    found = {}
    for one in value.__dict__.get("params", []):
        if one.__dict__.get("value") is not None:
            index = int(one.index)
            found[one.index.name or str(index)] = hvm_params.in_words(index, one.value)
    return found


def _devices(value: qemu.EmulatorContext) -> dict[str, Any]:
    _, state = emulator_state(value)
    return {
        "kind": state.kind,
        "version": state.version,
        "machine": state.machine,
        "complete": state.complete,
        "sections": [
            {
                "number": one.number,
                "name": one.name,
                "instance": one.instance,
                "version": one.version,
                "offset": one.offset,
                "data": one.data,
                "end": one.end,
                "footer": one.footer,
            }
            for one in state.sections
        ],
    }


def _configuration(value: Struct, *, secrets: bool) -> dict[str, Any] | None:
    found = configuration_of(value, secrets=secrets)
    if found is None:
        return None
    return {
        "format": found.format,
        "type": found.type,
        "name": found.name,
        "uuid": found.uuid,
        "memory_kib": found.memory,
        "max_memory_kib": found.max_memory,
        "vcpus": found.vcpus,
        "max_vcpus": found.max_vcpus,
        "devices": [{"kind": one.kind, "settings": one.words} for one in found.devices],
        "problem": found.problem or None,
    }
