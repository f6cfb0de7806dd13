"""Model-specific registers by number: xen/arch/x86/include/asm/msr-index.h.

Which of them Xen saves: ``hvm_msr`` in xen/arch/x86/hvm/hvm.c, ``XEN_DOMCTL_get_vcpu_msrs`` in xen/arch/x86/domctl.c
and ``x86_msr_copy_to_buffer`` in xen/arch/x86/lib/cpu-policy.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, value


class Msr(Enumeration, digits=8, open=True):
    """The MSRs that streams of any release may hold.

    ``hvm`` and ``pv`` are the releases since which the state of an HVM or PV vcpu includes them; ``policy`` that since
    which X86_MSR_POLICY does.
    """

    SPEC_CTRL = value(0x48, "speculation control", hvm="4.7.5", pv="4.7.5")
    PLATFORM_INFO = value(0xCE, "what the platform can", policy="4.14")
    ARCH_CAPABILITIES = value(0x10A, "which vulnerabilities the processor does not have", policy="4.15")
    MISC_FEATURES_ENABLES = value(0x140, "features that a guest can switch", hvm="4.10", pv="4.10")
    PKRS = value(0x6E1, "protection keys of kernel pages", hvm="4.18")
    BNDCFGS = value(0xD90, "configuration of MPX for kernel mode", hvm="4.5")
    XSS = value(0xDA0, "supervisor components of XSAVES", hvm="4.7")
    TSC_AUX = value(0xC0000103, "what RDTSCP returns in ECX", pv="4.12")
    VIRT_SPEC_CTRL = value(0xC001011F, "speculation control through the hypervisor", hvm="4.17")
    DR1_ADDRESS_MASK = value(0xC0011019, "address mask of breakpoint 1", hvm="4.5", pv="4.6")
    DR2_ADDRESS_MASK = value(0xC001101A, "address mask of breakpoint 2", hvm="4.5", pv="4.6")
    DR3_ADDRESS_MASK = value(0xC001101B, "address mask of breakpoint 3", hvm="4.5", pv="4.6")
    DR0_ADDRESS_MASK = value(0xC0011027, "address mask of breakpoint 0", hvm="4.5", pv="4.6")
