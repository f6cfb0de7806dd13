"""Timers of an HVM guest: xen/include/public/arch-x86/hvm/save.h."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import Bits, array, i64, octets, u8, u16, u32, u64
from xenmig.core.definitions.structs import Struct

HEADER = "xen/include/public/arch-x86/hvm/save.h"


class RwState(Enumeration):
    """Which half of a PIT counter is read or written next."""

    NONE = value(0, "not set up")
    LSB = value(1, "low byte only")
    MSB = value(2, "high byte only")
    WORD0 = value(3, "low byte, then high byte")
    WORD1 = value(4, "high byte, the low byte has passed")


class PitMode(Enumeration, open=True):
    """Operating mode of a PIT channel."""

    TERMINAL_COUNT = value(0, "interrupt at the end of the count")
    ONE_SHOT = value(1, "one-shot, started by the gate")
    RATE = value(2, "rate generator")
    SQUARE_WAVE = value(3, "square wave")
    SOFTWARE_STROBE = value(4, "strobe started by software")
    HARDWARE_STROBE = value(5, "strobe started by the gate")
    UNSET = value(7, "never set")
    UNSET_EARLIER = value(0xFF, "never set, in the writing of earlier releases")


class HvmHwPitChannel(Struct, source=f"{HEADER}, hvm_hw_pit_channel"):
    """One channel of the PIT."""

    count: int = u32("what it counts from, at most 65536")
    latched_count: int = u16("count that waits to be read")
    count_latched: RwState = u8("how it is read; 0 when nothing waits", values=RwState)
    status_latched: int = u8("whether the status waits to be read")
    status: int = u8("status that waits to be read", hex=True)
    read_state: RwState = u8("how the count is read", values=RwState)
    write_state: RwState = u8("how the count is written", values=RwState)
    write_latch: int = u8("low byte that was written", hex=True)
    rw_mode: int = u8("access mode of the control word, 0 to 3")
    mode: PitMode = u8("operating mode", values=PitMode)
    bcd: int = u8("decimal counting, which Xen does not support: 0 or 1")
    gate: int = u8("gate: 0 or 1; channels 0 and 1 have 1")


class HvmHwPit(Struct, name="PIT", source=f"{HEADER}, hvm_hw_pit"):
    """The 8254 interval timer."""

    channels: list[HvmHwPitChannel] = array(HvmHwPitChannel, "timer, memory refresh, speaker", count=3)
    speaker_data_on: int = u32("whether the speaker is on")
    pad0: int = u32("padding", hex=True)


class HvmHwRtc(Struct, name="RTC", source=f"{HEADER}, hvm_hw_rtc", lengths={16: "4.0", 24: "4.14"}):
    """The MC146818 real-time clock. In binary or BCD, by bit 2 of register B."""

    seconds: int = u8("CMOS register 0: seconds", hex=True)
    seconds_alarm: int = u8("CMOS register 1: seconds of the alarm", hex=True)
    minutes: int = u8("CMOS register 2: minutes", hex=True)
    minutes_alarm: int = u8("CMOS register 3: minutes of the alarm", hex=True)
    hours: int = u8("CMOS register 4: hours", hex=True)
    hours_alarm: int = u8("CMOS register 5: hours of the alarm", hex=True)
    day_of_week: int = u8("CMOS register 6: day of the week", hex=True)
    day_of_month: int = u8("CMOS register 7: day of the month", hex=True)
    month: int = u8("CMOS register 8: month", hex=True)
    year: int = u8("CMOS register 9: year", hex=True)
    reg_a: int = u8(
        "CMOS register A",
        hex=True,
        bits=(
            Bits("rate", 0, 4, "rate of the periodic interrupt"),
            Bits("divider", 4, 3, "divider of the oscillator; 2 when it runs"),
            Bits("uip", 7, 1, "update in progress"),
        ),
    )
    reg_b: int = u8(
        "CMOS register B",
        hex=True,
        bits=(
            Bits("dse", 0, 1, "daylight saving"),
            Bits("24h", 1, 1, "hours from 0 to 23"),
            Bits("binary", 2, 1, "binary, not BCD"),
            Bits("sqwe", 3, 1, "square wave"),
            Bits("uie", 4, 1, "interrupt at updates"),
            Bits("aie", 5, 1, "interrupt at the alarm"),
            Bits("pie", 6, 1, "periodic interrupt"),
            Bits("set", 7, 1, "updates stopped"),
        ),
    )
    reg_c: int = u8(
        "CMOS register C",
        hex=True,
        bits=(
            Bits("uf", 4, 1, "an update has happened"),
            Bits("af", 5, 1, "the alarm has happened"),
            Bits("pf", 6, 1, "a period is over"),
            Bits("irqf", 7, 1, "the interrupt is asserted"),
        ),
    )
    reg_d: int = u8("CMOS register D", hex=True, bits=(Bits("vrt", 7, 1, "time is valid"),))
    cmos_index: int = u8("selected CMOS register", hex=True)
    pad0: int = u8("padding", hex=True)
    rtc_offset: int = i64("how far the clock is ahead of the host's", unit="s", since="4.14")


class HpetConfig(Flags, digits=16, open=True):
    """General configuration of the HPET."""

    ENABLE = flag(0, "the counter runs")
    LEGACY = flag(1, "replaces PIT and RTC")


TIMER_CONFIG = (
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
)


class HpetTimer(Struct, source=f"{HEADER}, hvm_hw_hpet"):
    """One timer of the HPET."""

    config: int = u64("configuration and capabilities", hex=True, bits=TIMER_CONFIG)
    cmp: int = u64("comparator, with all 64 bits even when used with 32", hex=True)
    fsb: int = u64("message, which Xen does not support", hex=True)
    res4: int = u64("reserved", hex=True)


class HvmHwHpet(Struct, name="HPET", source=f"{HEADER}, hvm_hw_hpet"):
    """The high precision event timer."""

    capability: int = u64(
        "what it can",
        hex=True,
        bits=(
            Bits("rev", 0, 8, "revision"),
            Bits("timers", 8, 5, "number of the last timer"),
            Bits("64bit", 13, 1, "the counter has 64 bits"),
            Bits("legacy", 15, 1, "can replace PIT and RTC"),
            Bits("vendor", 16, 16, "vendor"),
            Bits("period", 32, 32, "period of the counter", unit="fs"),
        ),
    )
    res0: int = u64("reserved", hex=True)
    config: HpetConfig = u64("general configuration", flags=HpetConfig)
    res1: int = u64("reserved", hex=True)
    isr: int = u64("interrupts that are asserted, a bit for each timer", hex=True)
    res2: bytes = octets("reserved", count=200)
    mc64: int = u64("the counter", hex=True)
    res3: int = u64("reserved", hex=True)
    timers: list[HpetTimer] = array(HpetTimer, "timers", count=3)
    res5: bytes = octets("reserved", count=672)
    period: list[int] = array(u64(), "what was last written to each comparator", count=3)


class Pm1(Flags, digits=4, open=True):
    """ACPI specification, PM1 status and enable registers."""

    TMR = flag(0, "timer")
    GBL = flag(5, "global lock")
    PWRBTN = flag(8, "power button")
    SLPBTN = flag(9, "sleep button")
    RTC = flag(10, "real-time clock")


class HvmHwPmtimer(Struct, name="PMTIMER", source=f"{HEADER}, hvm_hw_pmtimer"):
    """The ACPI power management timer, 3.579545 MHz."""

    tmr_val: int = u32("the counter", hex=True)
    pm1a_sts: Pm1 = u16("events that have happened", flags=Pm1)
    pm1a_en: Pm1 = u16("events that interrupt", flags=Pm1)
