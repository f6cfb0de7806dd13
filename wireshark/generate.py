"""Make xenmig.lua: the definitions as data, then the runtime, in one file that needs nothing else.

``python -m xenmig.wireshark.generate`` writes it; with ``--check`` it only says whether the file is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

import xenmig
from xenmig.wireshark.facts import facts
from xenmig.wireshark.literals import literal
from xenmig.wireshark.rows import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xenmig.wireshark.literals import Plain

HERE = Path(__file__).parent
TARGET = HERE / "xenmig.lua"
"The generated file."
RUNTIME = HERE / "runtime"

PARSER = (
    "numbers",
    "pages",
    "chains",
    "structs",
    "rules",
    "libxc_order",
    "libxl_order",
    "body_rules",
    "emulator_rules",
    "population",
    "memory_rules",
    "page_tables",
    "hvm_context_rules",
    "hvm_entry_rules",
    "json",
    "configuration_rules",
    "guest_state",
    "param_rules",
    "viridian_rules",
    "tsc_rules",
    "xsave_area",
    "cpu_policy_rules",
    "hvm_cpu_rules",
    "xsave_rules",
    "msr_rules",
    "pv_memory_rules",
    "pv_page_rules",
    "pv_vcpu_rules",
    "back_channel",
    "header_rules",
    "anchors",
    "directions",
    "passes",
    "page_contents",
    "recognise",
    "states",
    "headers",
    "records",
    "streams",
    "conversations",
    "endings",
    "connections",
)
"The parts that know nothing of Wireshark, in order: plain Lua runs them, and so do their tests."
UNNAMED = (
    "headers",
    "hvm_cpu_rules",
    "hvm_entry_rules",
    "msr_rules",
    "param_rules",
    "pv_memory_rules",
    "pv_vcpu_rules",
    "tsc_rules",
    "viridian_rules",
    "xsave_rules",
)
"Those that only add to what others hold, and are no table."
DISSECTOR = (
    "fields",
    "findings",
    "holes",
    "trees",
    "cpu_features",
    "elements",
    "frames",
    "summary",
    "segments",
    "closing",
    "dissector",
)
"The parts that use Wireshark's API, in order."

_FIRST = """\
-- GENERATED from core/definitions/ and wireshark/runtime/ by `python -m xenmig.wireshark.generate`: do not edit.
--
-- Xen migration streams in Wireshark and tshark 4.0 and later: xl save/migrate, libvirt, Remus and COLO, over TCP.
-- Put this file into the folder "Personal Lua Plugins" (Help > About Wireshark > Folders), or name it:
-- tshark -X lua_script:xenmig.lua
-- SPDX-License-Identifier: GPL-2.0-or-later
"""
_OUTSIDE = """
-- Without Wireshark this file is the parser alone, for its tests.
if Proto == nil then
    return {
%s    }
end

-- Installed, and given to tshark by hand as well: once is enough.
if rawget(_G, "xenmig_loaded") then
    return
end
rawset(_G, "xenmig_loaded", true)
"""


def generate() -> str:
    """The text of xenmig.lua."""
    rows = Rows()
    found = facts(rows)
    return compose({"version": xenmig.__version__, **found, "enumerations": rows.enumerations})


def compose(definitions: Mapping[str, Plain]) -> str:
    """The text of a dissector for these definitions: see :func:`~xenmig.wireshark.facts.facts`."""
    text = _FIRST + "\nlocal definitions = " + literal(definitions) + "\n"
    text += _RECORDS
    text += _parts(PARSER)
    text += _OUTSIDE % "".join(
        f"        {name} = {name},\n" for name in ("definitions", *PARSER) if name not in UNNAMED
    )
    return text + _parts(DISSECTOR)


_RECORDS = """\
definitions.records = {}
for layer, keys in pairs(definitions.record_keys) do
    definitions.records[layer] = {}
    for number, key in pairs(keys) do
        definitions.records[layer][number] = definitions.structs[key]
    end
end
"""


def _parts(names: Sequence[str]) -> str:
    return "".join("\n" + (RUNTIME / f"{name}.lua").read_text(encoding="utf-8") for name in names)


def main(arguments: Sequence[str]) -> int:
    """Write the file, or compare it; 0, or 1 when it is not up to date."""
    text = generate()
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{TARGET} is not what its parts make: run python -m xenmig.wireshark.generate\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
