# Generated from the definitions by `make generate`; do not edit.
# fmt: off
"""Where the fields of bodies lie, and what is asked of them: see :mod:`view`, which explains the tuples."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.view import Shape

SHAPES: dict[str, Shape] = {
    "HvmSaveEnd": (
        (0,), (0, 1, 0, -1),
        {},
        (),
        (),
    ),
    "HvmSaveHeader": (
        (24,), (0, 1, 0, -1),
        {
            "magic": (0, "I", 0, 4), "version": (4, "I", 0, 4), "changeset": (8, "Q", 0, 8), "cpuid": (16, "I", 0, 4),
            "gtsc_khz": (20, "I", 0, 4),
        },
        (
            (0, 4, 0xffffffff, 0x54381286, 1, 0), (4, 4, 0xffffffff, 0x1, 1, 0),
        ),
        (),
    ),
    "X87Register": (
        (16,), (0, 1, 0, -1),
        {
            "significand": (0, "Q", 0, 8), "sign_exponent": (8, "H", 0, 2), "unused": (10, "", 0, 6),
        },
        (),
        (),
    ),
    "XmmRegister": (
        (16,), (0, 1, 0, -1),
        {
            "low": (0, "Q", 0, 8), "high": (8, "Q", 0, 8),
        },
        (),
        (),
    ),
    "Fxsave": (
        (512,), (0, 1, 0, -1),
        {
            "fcw": (0, "H", 0, 2), "fsw": (2, "H", 0, 2), "ftw": (4, "B", 0, 1), "unused": (5, "B", 0, 1),
            "fop": (6, "H", 0, 2), "fip": (8, "Q", 0, 8), "fdp": (16, "Q", 0, 8), "mxcsr": (24, "I", 0, 4),
            "mxcsr_mask": (28, "I", 0, 4), "st": (32, "X87Register", 8, 16), "xmm": (160, "XmmRegister", 16, 16),
            "reserved1": (416, "", 0, 48), "software": (464, "", 0, 47), "fip_width": (511, "B", 0, 1),
        },
        (),
        (),
    ),
    "HvmHwCpu": (
        (1024, 1032), (0, 1, 0, -1),
        {
            "fpu_regs": (0, "Fxsave", 0, 512), "rax": (512, "Q", 0, 8), "rbx": (520, "Q", 0, 8),
            "rcx": (528, "Q", 0, 8), "rdx": (536, "Q", 0, 8), "rbp": (544, "Q", 0, 8), "rsi": (552, "Q", 0, 8),
            "rdi": (560, "Q", 0, 8), "rsp": (568, "Q", 0, 8), "r8": (576, "Q", 0, 8), "r9": (584, "Q", 0, 8),
            "r10": (592, "Q", 0, 8), "r11": (600, "Q", 0, 8), "r12": (608, "Q", 0, 8), "r13": (616, "Q", 0, 8),
            "r14": (624, "Q", 0, 8), "r15": (632, "Q", 0, 8), "rip": (640, "Q", 0, 8), "rflags": (648, "Q", 0, 8),
            "cr0": (656, "Q", 0, 8), "cr2": (664, "Q", 0, 8), "cr3": (672, "Q", 0, 8), "cr4": (680, "Q", 0, 8),
            "dr0": (688, "Q", 0, 8), "dr1": (696, "Q", 0, 8), "dr2": (704, "Q", 0, 8), "dr3": (712, "Q", 0, 8),
            "dr6": (720, "Q", 0, 8), "dr7": (728, "Q", 0, 8), "cs_sel": (736, "I", 0, 4), "ds_sel": (740, "I", 0, 4),
            "es_sel": (744, "I", 0, 4), "fs_sel": (748, "I", 0, 4), "gs_sel": (752, "I", 0, 4),
            "ss_sel": (756, "I", 0, 4), "tr_sel": (760, "I", 0, 4), "ldtr_sel": (764, "I", 0, 4),
            "cs_limit": (768, "I", 0, 4), "ds_limit": (772, "I", 0, 4), "es_limit": (776, "I", 0, 4),
            "fs_limit": (780, "I", 0, 4), "gs_limit": (784, "I", 0, 4), "ss_limit": (788, "I", 0, 4),
            "tr_limit": (792, "I", 0, 4), "ldtr_limit": (796, "I", 0, 4), "idtr_limit": (800, "I", 0, 4),
            "gdtr_limit": (804, "I", 0, 4), "cs_base": (808, "Q", 0, 8), "ds_base": (816, "Q", 0, 8),
            "es_base": (824, "Q", 0, 8), "fs_base": (832, "Q", 0, 8), "gs_base": (840, "Q", 0, 8),
            "ss_base": (848, "Q", 0, 8), "tr_base": (856, "Q", 0, 8), "ldtr_base": (864, "Q", 0, 8),
            "idtr_base": (872, "Q", 0, 8), "gdtr_base": (880, "Q", 0, 8), "cs_arbytes": (888, "I", 0, 4),
            "ds_arbytes": (892, "I", 0, 4), "es_arbytes": (896, "I", 0, 4), "fs_arbytes": (900, "I", 0, 4),
            "gs_arbytes": (904, "I", 0, 4), "ss_arbytes": (908, "I", 0, 4), "tr_arbytes": (912, "I", 0, 4),
            "ldtr_arbytes": (916, "I", 0, 4), "sysenter_cs": (920, "Q", 0, 8), "sysenter_esp": (928, "Q", 0, 8),
            "sysenter_eip": (936, "Q", 0, 8), "shadow_gs": (944, "Q", 0, 8), "msr_flags": (952, "Q", 0, 8),
            "msr_lstar": (960, "Q", 0, 8), "msr_star": (968, "Q", 0, 8), "msr_cstar": (976, "Q", 0, 8),
            "msr_syscall_mask": (984, "Q", 0, 8), "msr_efer": (992, "Q", 0, 8), "msr_tsc_aux": (1000, "Q", 0, 8),
            "tsc": (1008, "Q", 0, 8), "pending_event": (1016, "I", 0, 4), "error_code": (1020, "I", 0, 4),
            "flags": (1024, "I", 0, 4), "pad0": (1028, "I", 0, 4),
        },
        (
            (1024, 4, 0xfffffffe, 0x0, 1, 0), (1028, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "HvmHwVpic": (
        (8,), (0, 1, 0, -1),
        {
            "irr": (0, "B", 0, 1), "imr": (1, "B", 0, 1), "isr": (2, "B", 0, 1), "irq_base": (3, "B", 0, 1),
            "initialisation": (4, "B", 0, 1), "modes": (5, "B", 0, 1), "elcr": (6, "B", 0, 1),
            "int_output": (7, "B", 0, 1),
        },
        (),
        (),
    ),
    "HvmHwVioapic": (
        (400,), (0, 1, 0, -1),
        {
            "base_address": (0, "Q", 0, 8), "ioregsel": (8, "I", 0, 4), "id": (12, "I", 0, 4),
            "redirtbl": (16, "Q", 48, 8),
        },
        (),
        (),
    ),
    "HvmHwLapic": (
        (16, 24, 32), (0, 1, 0, -1),
        {
            "apic_base_msr": (0, "Q", 0, 8), "disabled": (8, "I", 0, 4), "timer_divisor": (12, "I", 0, 4),
            "tdt_msr": (16, "Q", 0, 8), "pending_esr": (24, "I", 0, 4), "tail": (28, "", 0, 4),
        },
        (),
        (),
    ),
    "LapicRegister": (
        (16,), (0, 1, 0, -1),
        {
            "bits": (0, "I", 0, 4), "unused": (4, "", 0, 12),
        },
        (),
        (),
    ),
    "HvmHwLapicRegs": (
        (1024,), (0, 1, 0, -1),
        {
            "unused000": (0, "", 0, 32), "APIC_ID": (32, "I", 0, 4), "unused024": (36, "", 0, 12),
            "LVR": (48, "I", 0, 4), "unused034": (52, "", 0, 76), "TASKPRI": (128, "I", 0, 4),
            "unused084": (132, "", 0, 12), "ARBPRI": (144, "I", 0, 4), "unused094": (148, "", 0, 12),
            "PROCPRI": (160, "I", 0, 4), "unused0a4": (164, "", 0, 12), "EOI": (176, "I", 0, 4),
            "unused0b4": (180, "", 0, 28), "LDR": (208, "I", 0, 4), "unused0d4": (212, "", 0, 12),
            "DFR": (224, "I", 0, 4), "unused0e4": (228, "", 0, 12), "SPIV": (240, "I", 0, 4),
            "unused0f4": (244, "", 0, 12), "ISR": (256, "LapicRegister", 8, 16), "TMR": (384, "LapicRegister", 8, 16),
            "IRR": (512, "LapicRegister", 8, 16), "ESR": (640, "I", 0, 4), "unused284": (644, "", 0, 108),
            "CMCI": (752, "I", 0, 4), "unused2f4": (756, "", 0, 12), "ICR": (768, "I", 0, 4),
            "unused304": (772, "", 0, 12), "ICR2": (784, "I", 0, 4), "unused314": (788, "", 0, 12),
            "LVTT": (800, "I", 0, 4), "unused324": (804, "", 0, 12), "LVTTHMR": (816, "I", 0, 4),
            "unused334": (820, "", 0, 12), "LVTPC": (832, "I", 0, 4), "unused344": (836, "", 0, 12),
            "LVT0": (848, "I", 0, 4), "unused354": (852, "", 0, 12), "LVT1": (864, "I", 0, 4),
            "unused364": (868, "", 0, 12), "LVTERR": (880, "I", 0, 4), "unused374": (884, "", 0, 12),
            "TMICT": (896, "I", 0, 4), "unused384": (900, "", 0, 12), "TMCCT": (912, "I", 0, 4),
            "unused394": (916, "", 0, 76), "TDCR": (992, "I", 0, 4), "unused3e4": (996, "", 0, 28),
        },
        (),
        (),
    ),
    "HvmHwPciIrqs": (
        (16,), (0, 1, 0, -1),
        {
            "pad": (0, "Q", 2, 8),
        },
        (),
        (),
    ),
    "HvmHwIsaIrqs": (
        (8,), (0, 1, 0, -1),
        {
            "pad": (0, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmHwPciLink": (
        (8,), (0, 1, 0, -1),
        {
            "route": (0, "B", 4, 1), "pad0": (4, "", 0, 4),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "HvmHwPitChannel": (
        (16,), (0, 1, 0, -1),
        {
            "count": (0, "I", 0, 4), "latched_count": (4, "H", 0, 2), "count_latched": (6, "B", 0, 1),
            "status_latched": (7, "B", 0, 1), "status": (8, "B", 0, 1), "read_state": (9, "B", 0, 1),
            "write_state": (10, "B", 0, 1), "write_latch": (11, "B", 0, 1), "rw_mode": (12, "B", 0, 1),
            "mode": (13, "B", 0, 1), "bcd": (14, "B", 0, 1), "gate": (15, "B", 0, 1),
        },
        (),
        (
            (6, 1, 0, 255, (0, 1, 2, 3, 4), 1, 0), (9, 1, 0, 255, (0, 1, 2, 3, 4), 1, 0),
            (10, 1, 0, 255, (0, 1, 2, 3, 4), 1, 0),
        ),
    ),
    "HvmHwPit": (
        (56,), (0, 1, 0, -1),
        {
            "channels": (0, "HvmHwPitChannel", 3, 16), "speaker_data_on": (48, "I", 0, 4), "pad0": (52, "I", 0, 4),
        },
        (),
        (
            (6, 1, 0, 255, (0, 1, 2, 3, 4), 16, 3), (9, 1, 0, 255, (0, 1, 2, 3, 4), 16, 3),
            (10, 1, 0, 255, (0, 1, 2, 3, 4), 16, 3),
        ),
    ),
    "HvmHwRtc": (
        (16, 24), (0, 1, 0, -1),
        {
            "seconds": (0, "B", 0, 1), "seconds_alarm": (1, "B", 0, 1), "minutes": (2, "B", 0, 1),
            "minutes_alarm": (3, "B", 0, 1), "hours": (4, "B", 0, 1), "hours_alarm": (5, "B", 0, 1),
            "day_of_week": (6, "B", 0, 1), "day_of_month": (7, "B", 0, 1), "month": (8, "B", 0, 1),
            "year": (9, "B", 0, 1), "reg_a": (10, "B", 0, 1), "reg_b": (11, "B", 0, 1), "reg_c": (12, "B", 0, 1),
            "reg_d": (13, "B", 0, 1), "cmos_index": (14, "B", 0, 1), "pad0": (15, "B", 0, 1),
            "rtc_offset": (16, "q", 0, 8),
        },
        (),
        (),
    ),
    "HpetTimer": (
        (32,), (0, 1, 0, -1),
        {
            "config": (0, "Q", 0, 8), "cmp": (8, "Q", 0, 8), "fsb": (16, "Q", 0, 8), "res4": (24, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmHwHpet": (
        (1048,), (0, 1, 0, -1),
        {
            "capability": (0, "Q", 0, 8), "res0": (8, "Q", 0, 8), "config": (16, "Q", 0, 8), "res1": (24, "Q", 0, 8),
            "isr": (32, "Q", 0, 8), "res2": (40, "", 0, 200), "mc64": (240, "Q", 0, 8), "res3": (248, "Q", 0, 8),
            "timers": (256, "HpetTimer", 3, 32), "res5": (352, "", 0, 672), "period": (1024, "Q", 3, 8),
        },
        (),
        (),
    ),
    "HvmHwPmtimer": (
        (8,), (0, 1, 0, -1),
        {
            "tmr_val": (0, "I", 0, 4), "pm1a_sts": (4, "H", 0, 2), "pm1a_en": (6, "H", 0, 2),
        },
        (),
        (),
    ),
    "VariableRange": (
        (16,), (0, 1, 0, -1),
        {
            "physbase": (0, "Q", 0, 8), "physmask": (8, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmHwMtrr": (
        (240,), (0, 1, 0, -1),
        {
            "msr_pat_cr": (0, "Q", 0, 8), "msr_mtrr_var": (8, "VariableRange", 8, 16),
            "msr_mtrr_fixed": (136, "Q", 11, 8), "msr_mtrr_cap": (224, "Q", 0, 8),
            "msr_mtrr_def_type": (232, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmViridianDomainContext": (
        (16, 24, 32), (0, 1, 0, -1),
        {
            "hypercall_gpa": (0, "Q", 0, 8), "guest_os_id": (8, "Q", 0, 8), "time_ref_count": (16, "Q", 0, 8),
            "reference_tsc": (24, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmHwCpuXsave": (
        (), (600, 1, 0, -1),
        {
            "xfeature_mask": (0, "Q", 0, 8), "xcr0": (8, "Q", 0, 8), "xcr0_accum": (16, "Q", 0, 8),
            "fpu_sse": (24, "Fxsave", 0, 512), "xstate_bv": (536, "Q", 0, 8), "xcomp_bv": (544, "Q", 0, 8),
            "reserved": (552, "", 0, 48), "components": (600, "", -1, 1),
        },
        (
            (544, 8, 0xffffffffffffffff, 0x0, 1, 0), (552, 48, (1 << 384) - 1, 0x0, 1, 0),
        ),
        (),
    ),
    "HvmViridianVcpuContext": (
        (8, 16, 216), (0, 1, 0, -1),
        {
            "vp_assist_msr": (0, "Q", 0, 8), "apic_assist_pending": (8, "B", 0, 1), "_pad": (9, "", 0, 7),
            "simp_msr": (16, "Q", 0, 8), "sint_msr": (24, "Q", 16, 8), "stimer_config_msr": (152, "Q", 4, 8),
            "stimer_count_msr": (184, "Q", 4, 8),
        },
        (
            (9, 7, 0xffffffffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "HvmVmceVcpu": (
        (8, 24, 32), (0, 1, 0, -1),
        {
            "caps": (0, "Q", 0, 8), "mci_ctl2_bank0": (8, "Q", 0, 8), "mci_ctl2_bank1": (16, "Q", 0, 8),
            "mcg_ext_ctl": (24, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmTscAdjust": (
        (8,), (0, 1, 0, -1),
        {
            "tsc_adjust": (0, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmOneMsr": (
        (16,), (0, 1, 0, -1),
        {
            "index": (0, "I", 0, 4), "_rsvd": (4, "I", 0, 4), "val": (8, "Q", 0, 8),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "HvmMsr": (
        (), (8, 16, 1, 0),
        {
            "count": (0, "I", 0, 4), "hole": (4, "", 0, 4), "msr": (8, "HvmOneMsr", -1, 16),
        },
        (
            (12, 4, 0xffffffff, 0x0, 16, -1),
        ),
        (),
    ),
    "CpuidLeaf": (
        (24,), (0, 1, 0, -1),
        {
            "leaf": (0, "I", 0, 4), "subleaf": (4, "I", 0, 4), "a": (8, "I", 0, 4), "b": (12, "I", 0, 4),
            "c": (16, "I", 0, 4), "d": (20, "I", 0, 4),
        },
        (),
        (),
    ),
    "X86CpuidPolicy": (
        (), (0, 24, 1, -1),
        {
            "leaves": (0, "CpuidLeaf", -1, 24),
        },
        (),
        (),
    ),
    "MsrEntry": (
        (16,), (0, 1, 0, -1),
        {
            "idx": (0, "I", 0, 4), "flags": (4, "I", 0, 4), "val": (8, "Q", 0, 8),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "X86MsrPolicy": (
        (), (0, 16, 1, -1),
        {
            "msrs": (0, "MsrEntry", -1, 16),
        },
        (
            (4, 4, 0xffffffff, 0x0, 16, -1),
        ),
        (),
    ),
    "X86TscInfo": (
        (24,), (0, 1, 0, -1),
        {
            "mode": (0, "I", 0, 4), "khz": (4, "I", 0, 4), "nsec": (8, "Q", 0, 8), "incarnation": (16, "I", 0, 4),
            "reserved1": (20, "I", 0, 4),
        },
        (
            (20, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (
            (0, 4, 0, 4294967295, (0, 1, 2, 3), 1, 0),
        ),
    ),
    "HvmParam": (
        (16,), (0, 1, 0, -1),
        {
            "index": (0, "Q", 0, 8), "value": (8, "Q", 0, 8),
        },
        (),
        (),
    ),
    "HvmParams": (
        (), (8, 16, 0, 0),
        {
            "count": (0, "I", 0, 4), "reserved1": (4, "I", 0, 4), "params": (8, "HvmParam", -1, 16),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "X86PvP2mFrames": (
        (), (8, 8, 0, -1),
        {
            "p2m_start_pfn": (0, "I", 0, 4), "p2m_end_pfn": (4, "I", 0, 4), "p2m_pfns": (8, "Q", -1, 8),
        },
        (),
        (),
    ),
    "UserRegs64": (
        (200,), (0, 1, 0, -1),
        {
            "r15": (0, "Q", 0, 8), "r14": (8, "Q", 0, 8), "r13": (16, "Q", 0, 8), "r12": (24, "Q", 0, 8),
            "rbp": (32, "Q", 0, 8), "rbx": (40, "Q", 0, 8), "r11": (48, "Q", 0, 8), "r10": (56, "Q", 0, 8),
            "r9": (64, "Q", 0, 8), "r8": (72, "Q", 0, 8), "rax": (80, "Q", 0, 8), "rcx": (88, "Q", 0, 8),
            "rdx": (96, "Q", 0, 8), "rsi": (104, "Q", 0, 8), "rdi": (112, "Q", 0, 8), "error_code": (120, "I", 0, 4),
            "entry_vector": (124, "I", 0, 4), "rip": (128, "Q", 0, 8), "cs": (136, "H", 0, 2),
            "pad0": (138, "H", 0, 2), "saved_upcall_mask": (140, "B", 0, 1), "pad1": (141, "", 0, 3),
            "rflags": (144, "Q", 0, 8), "rsp": (152, "Q", 0, 8), "ss": (160, "H", 0, 2), "pad2": (162, "", 0, 6),
            "es": (168, "H", 0, 2), "pad3": (170, "", 0, 6), "ds": (176, "H", 0, 2), "pad4": (178, "", 0, 6),
            "fs": (184, "H", 0, 2), "pad5": (186, "", 0, 6), "gs": (192, "H", 0, 2), "pad6": (194, "", 0, 6),
        },
        (),
        (),
    ),
    "TrapInfo64": (
        (16,), (0, 1, 0, -1),
        {
            "vector": (0, "B", 0, 1), "flags": (1, "B", 0, 1), "cs": (2, "H", 0, 2), "hole": (4, "", 0, 4),
            "address": (8, "Q", 0, 8),
        },
        (),
        (),
    ),
    "X86PvVcpuBasic64": (
        (5176,), (0, 1, 0, -1),
        {
            "vcpu_id": (0, "I", 0, 4), "reserved1": (4, "I", 0, 4), "fpu_ctxt": (8, "Fxsave", 0, 512),
            "flags": (520, "Q", 0, 8), "user_regs": (528, "UserRegs64", 0, 200),
            "trap_ctxt": (728, "TrapInfo64", 256, 16), "ldt_base": (4824, "Q", 0, 8), "ldt_ents": (4832, "Q", 0, 8),
            "gdt_frames": (4840, "Q", 16, 8), "gdt_ents": (4968, "Q", 0, 8), "kernel_ss": (4976, "Q", 0, 8),
            "kernel_sp": (4984, "Q", 0, 8), "cr0": (4992, "Q", 0, 8), "cr1": (5000, "Q", 0, 8),
            "cr2": (5008, "Q", 0, 8), "cr3": (5016, "Q", 0, 8), "cr4": (5024, "Q", 0, 8), "cr5": (5032, "Q", 0, 8),
            "cr6": (5040, "Q", 0, 8), "cr7": (5048, "Q", 0, 8), "dr0": (5056, "Q", 0, 8), "dr1": (5064, "Q", 0, 8),
            "dr2": (5072, "Q", 0, 8), "dr3": (5080, "Q", 0, 8), "dr4": (5088, "Q", 0, 8), "dr5": (5096, "Q", 0, 8),
            "dr6": (5104, "Q", 0, 8), "dr7": (5112, "Q", 0, 8), "event_callback_eip": (5120, "Q", 0, 8),
            "failsafe_callback_eip": (5128, "Q", 0, 8), "syscall_callback_eip": (5136, "Q", 0, 8),
            "vm_assist": (5144, "Q", 0, 8), "fs_base": (5152, "Q", 0, 8), "gs_base_kernel": (5160, "Q", 0, 8),
            "gs_base_user": (5168, "Q", 0, 8),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "UserRegs32": (
        (68,), (0, 1, 0, -1),
        {
            "ebx": (0, "I", 0, 4), "ecx": (4, "I", 0, 4), "edx": (8, "I", 0, 4), "esi": (12, "I", 0, 4),
            "edi": (16, "I", 0, 4), "ebp": (20, "I", 0, 4), "eax": (24, "I", 0, 4), "error_code": (28, "H", 0, 2),
            "entry_vector": (30, "H", 0, 2), "eip": (32, "I", 0, 4), "cs": (36, "H", 0, 2),
            "saved_upcall_mask": (38, "B", 0, 1), "pad0": (39, "B", 0, 1), "eflags": (40, "I", 0, 4),
            "esp": (44, "I", 0, 4), "ss": (48, "H", 0, 2), "pad1": (50, "H", 0, 2), "es": (52, "H", 0, 2),
            "pad2": (54, "H", 0, 2), "ds": (56, "H", 0, 2), "pad3": (58, "H", 0, 2), "fs": (60, "H", 0, 2),
            "pad4": (62, "H", 0, 2), "gs": (64, "H", 0, 2), "pad5": (66, "H", 0, 2),
        },
        (),
        (),
    ),
    "TrapInfo32": (
        (8,), (0, 1, 0, -1),
        {
            "vector": (0, "B", 0, 1), "flags": (1, "B", 0, 1), "cs": (2, "H", 0, 2), "address": (4, "I", 0, 4),
        },
        (),
        (),
    ),
    "X86PvVcpuBasic32": (
        (2808,), (0, 1, 0, -1),
        {
            "vcpu_id": (0, "I", 0, 4), "reserved1": (4, "I", 0, 4), "fpu_ctxt": (8, "Fxsave", 0, 512),
            "flags": (520, "I", 0, 4), "user_regs": (524, "UserRegs32", 0, 68),
            "trap_ctxt": (592, "TrapInfo32", 256, 8), "ldt_base": (2640, "I", 0, 4), "ldt_ents": (2644, "I", 0, 4),
            "gdt_frames": (2648, "I", 16, 4), "gdt_ents": (2712, "I", 0, 4), "kernel_ss": (2716, "I", 0, 4),
            "kernel_sp": (2720, "I", 0, 4), "cr0": (2724, "I", 0, 4), "cr1": (2728, "I", 0, 4),
            "cr2": (2732, "I", 0, 4), "cr3": (2736, "I", 0, 4), "cr4": (2740, "I", 0, 4), "cr5": (2744, "I", 0, 4),
            "cr6": (2748, "I", 0, 4), "cr7": (2752, "I", 0, 4), "dr0": (2756, "I", 0, 4), "dr1": (2760, "I", 0, 4),
            "dr2": (2764, "I", 0, 4), "dr3": (2768, "I", 0, 4), "dr4": (2772, "I", 0, 4), "dr5": (2776, "I", 0, 4),
            "dr6": (2780, "I", 0, 4), "dr7": (2784, "I", 0, 4), "event_callback_cs": (2788, "I", 0, 4),
            "event_callback_eip": (2792, "I", 0, 4), "failsafe_callback_cs": (2796, "I", 0, 4),
            "failsafe_callback_eip": (2800, "I", 0, 4), "vm_assist": (2804, "I", 0, 4),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "X86PvVcpuExtended": (
        (8, 64, 72, 136), (0, 1, 0, -1),
        {
            "vcpu_id": (0, "I", 0, 4), "reserved1": (4, "I", 0, 4), "vcpu": (8, "I", 0, 4),
            "struct_size": (12, "I", 0, 4), "syscall32_callback_eip": (16, "Q", 0, 8),
            "sysenter_callback_eip": (24, "Q", 0, 8), "syscall32_callback_cs": (32, "H", 0, 2),
            "sysenter_callback_cs": (34, "H", 0, 2), "syscall32_disables_events": (36, "B", 0, 1),
            "sysenter_disables_events": (37, "B", 0, 1), "hole": (38, "", 0, 2), "caps": (40, "Q", 0, 8),
            "mci_ctl2_bank0": (48, "Q", 0, 8), "mci_ctl2_bank1": (56, "Q", 0, 8), "mcg_ext_ctl": (64, "Q", 0, 8),
            "rest": (72, "", -1, 1),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "X86PvVcpuXsave": (
        (), (600, 1, 0, -1),
        {
            "vcpu_id": (0, "I", 0, 4), "reserved1": (4, "I", 0, 4), "xcr0": (8, "Q", 0, 8),
            "xcr0_accum": (16, "Q", 0, 8), "fpu_sse": (24, "Fxsave", 0, 512), "xstate_bv": (536, "Q", 0, 8),
            "xcomp_bv": (544, "Q", 0, 8), "reserved": (552, "", 0, 48), "components": (600, "", -1, 1),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0), (16, 8, 0x1, 0x1, 1, 0), (544, 8, 0xffffffffffffffff, 0x0, 1, 0),
            (552, 48, (1 << 384) - 1, 0x0, 1, 0),
        ),
        (),
    ),
    "XenDomctlVcpuMsr": (
        (16,), (0, 1, 0, -1),
        {
            "index": (0, "I", 0, 4), "reserved": (4, "I", 0, 4), "value": (8, "Q", 0, 8),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0),
        ),
        (),
    ),
    "X86PvVcpuMsrs": (
        (), (8, 16, 0, -1),
        {
            "vcpu_id": (0, "I", 0, 4), "reserved1": (4, "I", 0, 4), "msrs": (8, "XenDomctlVcpuMsr", -1, 16),
        },
        (
            (4, 4, 0xffffffff, 0x0, 1, 0), (12, 4, 0xffffffff, 0x0, 16, -1),
        ),
        (),
    ),
    "VcpuTimeInfo": (
        (32,), (0, 1, 0, -1),
        {
            "version": (0, "I", 0, 4), "pad0": (4, "I", 0, 4), "tsc_timestamp": (8, "Q", 0, 8),
            "system_time": (16, "Q", 0, 8), "tsc_to_system_mul": (24, "I", 0, 4), "tsc_shift": (28, "b", 0, 1),
            "flags": (29, "B", 0, 1), "pad1": (30, "", 0, 2),
        },
        (),
        (),
    ),
    "VcpuInfo64": (
        (64,), (0, 1, 0, -1),
        {
            "evtchn_upcall_pending": (0, "B", 0, 1), "evtchn_upcall_mask": (1, "B", 0, 1), "hole": (2, "", 0, 6),
            "evtchn_pending_sel": (8, "Q", 0, 8), "cr2": (16, "Q", 0, 8), "pad": (24, "Q", 0, 8),
            "time": (32, "VcpuTimeInfo", 0, 32),
        },
        (),
        (),
    ),
    "SharedInfo64": (
        (4096,), (0, 1, 0, -1),
        {
            "vcpu_info": (0, "VcpuInfo64", 32, 64), "evtchn_pending": (2048, "Q", 64, 8),
            "evtchn_mask": (2560, "Q", 64, 8), "wc_version": (3072, "I", 0, 4), "wc_sec": (3076, "I", 0, 4),
            "wc_nsec": (3080, "I", 0, 4), "wc_sec_hi": (3084, "I", 0, 4), "max_pfn": (3088, "Q", 0, 8),
            "pfn_to_mfn_frame_list_list": (3096, "Q", 0, 8), "nmi_reason": (3104, "Q", 0, 8),
            "p2m_cr3": (3112, "Q", 0, 8), "p2m_vaddr": (3120, "Q", 0, 8), "p2m_generation": (3128, "Q", 0, 8),
            "rest": (3136, "", 0, 960),
        },
        (),
        (),
    ),
    "VcpuInfo32": (
        (64,), (0, 1, 0, -1),
        {
            "evtchn_upcall_pending": (0, "B", 0, 1), "evtchn_upcall_mask": (1, "B", 0, 1), "hole": (2, "", 0, 2),
            "evtchn_pending_sel": (4, "I", 0, 4), "cr2": (8, "I", 0, 4), "pad": (12, "", 0, 20),
            "time": (32, "VcpuTimeInfo", 0, 32),
        },
        (),
        (),
    ),
    "SharedInfo32": (
        (4096,), (0, 1, 0, -1),
        {
            "vcpu_info": (0, "VcpuInfo32", 32, 64), "evtchn_pending": (2048, "I", 32, 4),
            "evtchn_mask": (2176, "I", 32, 4), "wc_version": (2304, "I", 0, 4), "wc_sec": (2308, "I", 0, 4),
            "wc_nsec": (2312, "I", 0, 4), "max_pfn": (2316, "I", 0, 4),
            "pfn_to_mfn_frame_list_list": (2320, "I", 0, 4), "nmi_reason": (2324, "I", 0, 4),
            "p2m_cr3": (2328, "I", 0, 4), "p2m_vaddr": (2332, "I", 0, 4), "p2m_generation": (2336, "I", 0, 4),
            "wc_sec_hi": (2340, "I", 0, 4), "rest": (2344, "", 0, 1752),
        },
        (),
        (),
    ),
}
ENTRIES: dict[int, str] = {
    0: "HvmSaveEnd",
    1: "HvmSaveHeader",
    2: "HvmHwCpu",
    3: "HvmHwVpic",
    4: "HvmHwVioapic",
    5: "HvmHwLapic",
    6: "HvmHwLapicRegs",
    7: "HvmHwPciIrqs",
    8: "HvmHwIsaIrqs",
    9: "HvmHwPciLink",
    10: "HvmHwPit",
    11: "HvmHwRtc",
    12: "HvmHwHpet",
    13: "HvmHwPmtimer",
    14: "HvmHwMtrr",
    15: "HvmViridianDomainContext",
    16: "HvmHwCpuXsave",
    17: "HvmViridianVcpuContext",
    18: "HvmVmceVcpu",
    19: "HvmTscAdjust",
    20: "HvmMsr",
}
"What the data of each type of entry in HVM_CONTEXT is."
BODIES: dict[int, dict[int, str]] = {
    0x11: {0: "X86CpuidPolicy"},
    0x12: {0: "X86MsrPolicy"},
    0x08: {0: "X86TscInfo"},
    0x0a: {0: "HvmParams"},
    0x03: {0: "X86PvP2mFrames"},
    0x04: {8: "X86PvVcpuBasic64", 4: "X86PvVcpuBasic32"},
    0x05: {0: "X86PvVcpuExtended"},
    0x06: {0: "X86PvVcpuXsave"},
    0x0c: {0: "X86PvVcpuMsrs"},
    0x07: {8: "SharedInfo64", 4: "SharedInfo32"},
}
"What the bodies of libxc records are, by type and width of the guest (0 where that does not matter)."
CONTEXT_BEGINS = {
    "<": b"\x01\x00\x00\x00\x18\x00\x00\x00\x86\x128T",
    ">": b"\x00\x01\x00\x00\x00\x00\x00\x18T8\x12\x86",
}
"What HVM_CONTEXT begins with in each byte order: the descriptor of its header, and the magic number."
DESCRIPTOR = "<HHI"
ENTRIES_MAX = 16384
PIT_MODES = (0, 1, 2, 3, 4, 5, 7, 255)
CR0_KNOWN = 0xe005003f
EFER_KNOWN = 0x205d01
