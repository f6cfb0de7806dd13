"""X86_CPUID_POLICY and X86_MSR_POLICY in Xen's words, and HVM_PARAMS by name."""

from __future__ import annotations

from struct import pack

import pytest

from tests.bodies import HVM, HVM_VIRIDIAN, PV, PVH, real_stream
from tests.corpus import CORPUS, requires_corpus
from xenmig.core.definitions import hvm_params, libxc, msrs
from xenmig.core.definitions.cpu_policy import CpuPolicy
from xenmig.core.definitions.cpuid import LEAVES, leaf_of
from xenmig.core.definitions.cpuid_leaves import NO_SUBLEAF
from xenmig.core.definitions.features import WORDS


def leaf(number: int, subleaf: int = NO_SUBLEAF, **registers: int) -> libxc.CpuidLeaf:
    values = {"a": 0, "b": 0, "c": 0, "d": 0} | registers
    return libxc.CpuidLeaf(leaf=number, subleaf=subleaf, **values)


def text(*words: str) -> list[int]:
    return [int.from_bytes(word.encode(), "little") for word in words]


def vendor(one: str) -> libxc.CpuidLeaf:
    b, d, c = text(one[:4], one[4:8], one[8:])
    return leaf(0, a=13, b=b, c=c, d=d)


def test_intel_and_amd_are_told_apart() -> None:
    assert CpuPolicy([vendor("GenuineIntel")]).vendor == "GenuineIntel"
    assert CpuPolicy([vendor("AuthenticAMD")]).vendor == "AuthenticAMD"
    assert CpuPolicy([]).vendor == ""


@pytest.mark.parametrize(
    ("signature", "family", "model", "stepping"),
    [
        (0x000906EA, 6, 0x9E, 10),
        (0x00800F12, 0x17, 1, 2),
        (0x00A20F10, 0x19, 0x21, 0),
        (0x00000F4A, 15, 4, 10),
        (0x00100543, 5, 4, 3),
    ],
)
def test_family_and_model_are_extended_where_that_counts(
    signature: int, family: int, model: int, stepping: int
) -> None:
    policy = CpuPolicy([leaf(1, a=signature)])
    assert (policy.family, policy.model, policy.stepping) == (family, model, stepping)


def test_the_brand_is_put_together_from_three_leaves() -> None:
    brand = "A processor of a most peculiar make   "
    parts = [brand[16 * i : 16 * i + 16].ljust(16, "\0") for i in range(3)]
    leaves = [
        leaf(0x80000002 + i, **dict(zip("abcd", text(part[:4], part[4:8], part[8:12], part[12:]), strict=True)))
        for i, part in enumerate(parts)
    ]
    assert CpuPolicy(leaves).brand == brand.strip()


def test_every_feature_is_found_by_its_name() -> None:
    for word in WORDS:
        for bit, one in word.known.items():
            if word.where is None:
                entry = msrs.MsrEntry(idx=0x10A, flags=0, val=1 << (bit + 32 * (word.word - 16)))
                policy = CpuPolicy([], [entry])
            else:
                number, subleaf, register = word.where
                policy = CpuPolicy([leaf(number, subleaf, **{register: 1 << bit})])
            assert policy.features == [one.name]
            assert policy.has(one.name)


def test_columns_are_the_words_in_xens_order() -> None:
    policy = CpuPolicy([leaf(1, d=0x178BFBFF, c=0xF6F83203), leaf(7, 0, b=0x20)])
    assert policy.columns.startswith("178bfbff:f6f83203:00000000:00000000:00000000:00000020:")
    assert policy.columns.count(":") == 18
    assert policy.featureset[2] is None
    assert policy.featureset[5] is not None
    assert policy.featureset[5].short_names == ["avx2"]


def test_bits_that_amd_repeats_are_not_unknown() -> None:
    word = CpuPolicy([leaf(0x80000001, d=0x2DD3FBFD)]).featureset[2]
    assert word is not None
    assert word.unknown == 0
    assert word.names == ["SYSCALL", "NX", "MMXEXT", "PAGE1GB", "RDTSCP", "LM"]


def test_caches_are_computed_from_leaf_4() -> None:
    # 32 KiB, 8 ways, lines of 64 bytes; then a leaf that says there are no more.
    policy = CpuPolicy([leaf(4, 0, a=0x1C004121, b=0x01C0003F, c=0x3F), leaf(4, 1)])
    (cache,) = policy.caches
    assert (cache.level, cache.type.name, cache.size, cache.ways, cache.line) == (1, "DATA", 32768, 8, 64)
    assert cache.shared_by == 2


def test_every_register_that_means_something_is_described() -> None:
    policy = CpuPolicy([leaf(0xD, 5, a=64, b=832), leaf(0x12345, 0)])
    described = {(number, sub, name): value for number, sub, name, value, _ in policy.described()}
    assert described == {(0xD, 5, "a"): 64, (0xD, 5, "b"): 832, (0xD, 5, "c"): 0}
    assert leaf_of(0x12345, 0) is None
    assert all(one.doc for one in LEAVES.values())


def test_msrs_have_the_bits_that_they_have() -> None:
    assert str(msrs.meaning(0x48, 5)) == "0x0000000000000005 (IBRS, SSBD)"
    assert "RDCL_NO" in str(msrs.meaning(0x10A, 1))
    assert "ITS_NO" in str(msrs.meaning(0x10A, 1 << 62))
    assert msrs.meaning(0xC0000103, 7) == 7


def test_an_msr_that_nobody_knows_is_a_value() -> None:
    decoded = msrs.X86PvVcpuMsrs.decode(pack("<IIIIQ", 3, 0, 0x12345678, 0, 9))
    assert not decoded.problems
    assert str(decoded.msrs[0].index) == "0x12345678 (unknown)"


def test_reserved_words_of_msrs_are_problems() -> None:
    decoded = msrs.X86MsrPolicy.decode(pack("<IIQ", 0xCE, 1, 0))
    assert [one.field for one in decoded.problems] == ["msrs[0].flags"]


@pytest.mark.parametrize(
    ("index", "number", "words"),
    [
        (0, 0, "none"),
        (0, 9, "GSI 9"),
        (0, 2 << 56 | 0xF3, "vector 0xf3"),
        (0, 1 << 56 | 3 << 11 | 1, "PCI 0000:00:03 INTB"),
        (0, 77 << 56, "0x4d00000000000000"),
        (1, 0xFEFFC, "pfn 0xfeffc"),
        (2, 5, "port 5"),
        (4, 1, "yes"),
        (4, 2, "0x2"),
        (9, 0x25, "0x0025 (base_freq, time_ref_count, apic_assist)"),
        (9, 1 << 20, "0x100000 (unknown 0x100000)"),
        (10, 2, "2 (no_missed_ticks_pending)"),
        (12, 0xFEFFE000, "address 0xfeffe000"),
        (19, 1, "1 (V1)"),
        (33, 8, "8"),
        (36, 8, "8 (BITS_64)"),
        (37, 0x180FC100280, "address 0xfc100280, 384 bytes"),
        (38, 1, "0x1 (LMCE)"),
        (1000, 3, "0x3"),
    ],
)
def test_params_are_said_in_words(index: int, number: int, words: str) -> None:
    assert hvm_params.in_words(index, number) == words


def test_a_param_that_nobody_knows_is_a_value() -> None:
    decoded = hvm_params.HvmParams.decode(pack("<IIQQ", 1, 0, 1000, 3))
    assert not decoded.problems
    assert decoded.params[0].index.name is None


def host(name: str) -> dict[str, str]:
    lines = (CORPUS / "logs" / name).read_text().splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


@requires_corpus
@pytest.mark.parametrize("name", [HVM, HVM_VIRIDIAN, PV, PVH])
def test_a_real_policy_is_that_of_its_host(name: str) -> None:
    stream = real_stream(name)
    policy = CpuPolicy(stream.guest.leaves, stream.body(0x12).value.msrs)
    # The corpus was made on an emulated AMD EPYC.
    assert policy.vendor == "AuthenticAMD"
    assert policy.brand == "AMD EPYC Processor"
    assert (policy.family, policy.model, policy.stepping) == (0x17, 1, 2)
    assert {"FPU", "LM", "AVX2", "XSAVE", "HYPERVISOR"} <= set(policy.features)
    assert policy.xcr0.names == ["X87", "SSE", "YMM"]
    assert policy.xsave_size == policy.register(0xD, 0, "c") == 832
    assert policy.arch_capabilities == 0
    # Every feature that the guest has, its host has, or Xen provides; xl prints the host's words from word 0 on.
    caps = host("xl-info-4.20.txt" if "4.20" in name else "xl-info-4.17.txt")["hw_caps"].split(":")
    provided = {"HYPERVISOR", "X2APIC", "OSXSAVE", "SEP"}
    for word in policy.featureset[:2]:
        assert word is not None
        mine = set(word.names)
        hosts = set(type(word)(int(caps[word.word], 16)).names)
        assert mine - hosts <= provided, mine - hosts


@requires_corpus
def test_real_params_are_those_of_the_guests_configuration() -> None:
    def params(name: str) -> dict[str, int]:
        return {str(one.index.name): one.value for one in real_stream(name).body(0x0A).value.params}

    assert "VIRIDIAN" not in params(HVM)
    assert "VIRIDIAN" not in params(PVH)
    assert hvm_params.Viridian(params(HVM_VIRIDIAN)["VIRIDIAN"]).names[0] == "base_freq"
    assert params(HVM)["NR_IOREQ_SERVER_PAGES"] == 8
    # A PVH guest has no device model: nobody asked for pages for it.
    assert "NR_IOREQ_SERVER_PAGES" not in params(PVH)


@requires_corpus
def test_the_tsc_runs_at_the_frequency_of_the_host() -> None:
    for name in (HVM, PV, PVH):
        megahertz = float(host("xl-info-4.20.txt" if "4.20" in name else "xl-info-4.17.txt")["cpu_mhz"])
        assert real_stream(name).body(0x08).value.khz == pytest.approx(megahertz * 1000, rel=1e-3)
