# Generated from core/definitions/timers.py by xenmig.scapy_layers.generate; do not edit.
"""Timers of an HVM guest: xen/include/public/arch-x86/hvm/save.h."""

from __future__ import annotations

from xenmig.core.definitions import timers as timers_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import FlagWord, Named, Number, Octets
from xenmig.scapy_layers.lists import Numbers, Structs
from xenmig.scapy_layers.packets import StructPacket


class HvmHwPitChannel(StructPacket):
    """One channel of the PIT.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_pit_channel.
    count: what it counts from, at most 65536
    latched_count: count that waits to be read
    count_latched: how it is read; 0 when nothing waits
    status_latched: whether the status waits to be read
    status: status that waits to be read
    read_state: how the count is read
    write_state: how the count is written
    write_latch: low byte that was written
    rw_mode: access mode of the control word, 0 to 3
    mode: operating mode
    bcd: decimal counting, which Xen does not support: 0 or 1
    gate: gate: 0 or 1; channels 0 and 1 have 1
    """

    name = "timers hvm hw pit channel"
    definition = "timers.HvmHwPitChannel"
    size = 16
    fields_desc = [
        Number("count", 0, "u32", "what it counts from, at most 65536"),
        Number("latched_count", 0, "u16", "count that waits to be read"),
        Named("count_latched", 0, "u8", "how it is read; 0 when nothing waits", values=timers_definitions.RwState),
        Number("status_latched", 0, "u8", "whether the status waits to be read"),
        Number("status", 0, "u8", "status that waits to be read", hexadecimal=True),
        Named("read_state", 0, "u8", "how the count is read", values=timers_definitions.RwState),
        Named("write_state", 0, "u8", "how the count is written", values=timers_definitions.RwState),
        Number("write_latch", 0, "u8", "low byte that was written", hexadecimal=True),
        Number("rw_mode", 0, "u8", "access mode of the control word, 0 to 3"),
        Named("mode", 0, "u8", "operating mode", values=timers_definitions.PitMode),
        Number("bcd", 0, "u8", "decimal counting, which Xen does not support: 0 or 1"),
        Number("gate", 0, "u8", "gate: 0 or 1; channels 0 and 1 have 1"),
    ]


class HvmHwPit(StructPacket):
    """The 8254 interval timer.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_pit.
    channels: timer, memory refresh, speaker
    speaker_data_on: whether the speaker is on
    pad0: padding
    """

    name = "timers pit"
    definition = "timers.HvmHwPit"
    size = 56
    fields_desc = [
        Structs("channels", HvmHwPitChannel, "timer, memory refresh, speaker", count=3),
        Number("speaker_data_on", 0, "u32", "whether the speaker is on"),
        Number("pad0", 0, "u32", "padding", hexadecimal=True),
    ]


class HvmHwRtc(StructPacket):
    """The MC146818 real-time clock. In binary or BCD, by bit 2 of register B.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_rtc.
    16 bytes long in 4.0.
    24 bytes long in 4.14.
    seconds: CMOS register 0: seconds
    seconds_alarm: CMOS register 1: seconds of the alarm
    minutes: CMOS register 2: minutes
    minutes_alarm: CMOS register 3: minutes of the alarm
    hours: CMOS register 4: hours
    hours_alarm: CMOS register 5: hours of the alarm
    day_of_week: CMOS register 6: day of the week
    day_of_month: CMOS register 7: day of the month
    month: CMOS register 8: month
    year: CMOS register 9: year
    reg_a: CMOS register A
    reg_b: CMOS register B
    reg_c: CMOS register C
    reg_d: CMOS register D
    cmos_index: selected CMOS register
    pad0: padding
    rtc_offset: how far the clock is ahead of the host's (s); since Xen 4.14
    """

    name = "timers rtc"
    definition = "timers.HvmHwRtc"
    size = 24
    fields_desc = [
        Number("seconds", 0, "u8", "CMOS register 0: seconds", hexadecimal=True),
        Number("seconds_alarm", 0, "u8", "CMOS register 1: seconds of the alarm", hexadecimal=True),
        Number("minutes", 0, "u8", "CMOS register 2: minutes", hexadecimal=True),
        Number("minutes_alarm", 0, "u8", "CMOS register 3: minutes of the alarm", hexadecimal=True),
        Number("hours", 0, "u8", "CMOS register 4: hours", hexadecimal=True),
        Number("hours_alarm", 0, "u8", "CMOS register 5: hours of the alarm", hexadecimal=True),
        Number("day_of_week", 0, "u8", "CMOS register 6: day of the week", hexadecimal=True),
        Number("day_of_month", 0, "u8", "CMOS register 7: day of the month", hexadecimal=True),
        Number("month", 0, "u8", "CMOS register 8: month", hexadecimal=True),
        Number("year", 0, "u8", "CMOS register 9: year", hexadecimal=True),
        Number(
            "reg_a",
            0,
            "u8",
            "CMOS register A",
            hexadecimal=True,
            bits=[
                Bits("rate", 0, 4, "rate of the periodic interrupt"),
                Bits("divider", 4, 3, "divider of the oscillator; 2 when it runs"),
                Bits("uip", 7, 1, "update in progress"),
            ],
        ),
        Number(
            "reg_b",
            0,
            "u8",
            "CMOS register B",
            hexadecimal=True,
            bits=[
                Bits("dse", 0, 1, "daylight saving"),
                Bits("24h", 1, 1, "hours from 0 to 23"),
                Bits("binary", 2, 1, "binary, not BCD"),
                Bits("sqwe", 3, 1, "square wave"),
                Bits("uie", 4, 1, "interrupt at updates"),
                Bits("aie", 5, 1, "interrupt at the alarm"),
                Bits("pie", 6, 1, "periodic interrupt"),
                Bits("set", 7, 1, "updates stopped"),
            ],
        ),
        Number(
            "reg_c",
            0,
            "u8",
            "CMOS register C",
            hexadecimal=True,
            bits=[
                Bits("uf", 4, 1, "an update has happened"),
                Bits("af", 5, 1, "the alarm has happened"),
                Bits("pf", 6, 1, "a period is over"),
                Bits("irqf", 7, 1, "the interrupt is asserted"),
            ],
        ),
        Number("reg_d", 0, "u8", "CMOS register D", hexadecimal=True, bits=[Bits("vrt", 7, 1, "time is valid")]),
        Number("cmos_index", 0, "u8", "selected CMOS register", hexadecimal=True),
        Number("pad0", 0, "u8", "padding", hexadecimal=True),
        Number("rtc_offset", 0, "i64", "how far the clock is ahead of the host's", unit="s"),
    ]


class HpetTimer(StructPacket):
    """One timer of the HPET.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_hpet.
    config: configuration and capabilities
    cmp: comparator, with all 64 bits even when used with 32
    fsb: message, which Xen does not support
    res4: reserved
    """

    name = "timers hpet timer"
    definition = "timers.HpetTimer"
    size = 32
    fields_desc = [
        Number(
            "config",
            0,
            "u64",
            "configuration and capabilities",
            hexadecimal=True,
            bits=[
                Bits("LEVEL", 1, 1, "level-triggered"),
                Bits("ENABLE", 2, 1, "interrupts enabled"),
                Bits("PERIODIC", 3, 1, "periodic"),
                Bits("PERIODIC_CAP", 4, 1, "can be periodic"),
                Bits("64BIT_CAP", 5, 1, "has 64 bits"),
                Bits("SETVAL", 6, 1, "the next write sets the accumulator"),
                Bits("32BIT", 8, 1, "used with 32 bits"),
                Bits("ROUTE", 9, 5, "input of the I/O APIC"),
                Bits("FSB", 14, 1, "delivered as a message"),
                Bits("FSB_CAP", 15, 1, "can be delivered as a message"),
                Bits("INT_ROUTE_CAP", 32, 32, "inputs of the I/O APIC that it can use"),
            ],
        ),
        Number("cmp", 0, "u64", "comparator, with all 64 bits even when used with 32", hexadecimal=True),
        Number("fsb", 0, "u64", "message, which Xen does not support", hexadecimal=True),
        Number("res4", 0, "u64", "reserved", hexadecimal=True),
    ]


class HvmHwHpet(StructPacket):
    """The high precision event timer.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_hpet.
    capability: what it can
    res0: reserved
    config: general configuration
    res1: reserved
    isr: interrupts that are asserted, a bit for each timer
    res2: reserved
    mc64: the counter
    res3: reserved
    timers: timers
    res5: reserved
    period: what was last written to each comparator
    """

    name = "timers hpet"
    definition = "timers.HvmHwHpet"
    size = 1048
    fields_desc = [
        Number(
            "capability",
            0,
            "u64",
            "what it can",
            hexadecimal=True,
            bits=[
                Bits("rev", 0, 8, "revision"),
                Bits("timers", 8, 5, "number of the last timer"),
                Bits("64bit", 13, 1, "the counter has 64 bits"),
                Bits("legacy", 15, 1, "can replace PIT and RTC"),
                Bits("vendor", 16, 16, "vendor"),
                Bits("period", 32, 32, "period of the counter", unit="fs"),
            ],
        ),
        Number("res0", 0, "u64", "reserved", hexadecimal=True),
        FlagWord("config", 0, "u64", "general configuration", flags=timers_definitions.HpetConfig),
        Number("res1", 0, "u64", "reserved", hexadecimal=True),
        Number("isr", 0, "u64", "interrupts that are asserted, a bit for each timer", hexadecimal=True),
        Octets("res2", bytes(200), "reserved", size=200),
        Number("mc64", 0, "u64", "the counter", hexadecimal=True),
        Number("res3", 0, "u64", "reserved", hexadecimal=True),
        Structs("timers", HpetTimer, "timers", count=3),
        Octets("res5", bytes(672), "reserved", size=672),
        Numbers("period", "u64", "what was last written to each comparator", count=3),
    ]


class HvmHwPmtimer(StructPacket):
    """The ACPI power management timer, 3.579545 MHz.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_pmtimer.
    tmr_val: the counter
    pm1a_sts: events that have happened
    pm1a_en: events that interrupt
    """

    name = "timers pmtimer"
    definition = "timers.HvmHwPmtimer"
    size = 8
    fields_desc = [
        Number("tmr_val", 0, "u32", "the counter", hexadecimal=True),
        FlagWord("pm1a_sts", 0, "u16", "events that have happened", flags=timers_definitions.Pm1),
        FlagWord("pm1a_en", 0, "u16", "events that interrupt", flags=timers_definitions.Pm1),
    ]
