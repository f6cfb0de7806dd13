"""The peer gives the same opinion as a program and in this process."""

from __future__ import annotations

import struct

import pytest

from tests import peer
from tests.corpus import sample

pytestmark = peer.requires_peer

LIBXC = struct.pack(">QIIHHI", 0xFFFFFFFFFFFFFFFF, 0x58454E46, 3, 0, 0, 0) + struct.pack("<IHHII", 2, 12, 0, 4, 17)
END = struct.pack("<II", 0, 0)
STATIC_DATA_END = struct.pack("<II", 0x10, 0)


def test_a_real_save_file_is_accepted() -> None:
    path = sample("pvh-4.17-8M-1vcpu-savec.xlsave").unpacked()
    code, output = peer.run(path, "xl", "-v")
    assert code == 0
    assert "Domain Header: x86 HVM from Xen 4.17" in output
    assert peer.judge(path.read_bytes(), "xl") == peer.Verdict(True, None, "")


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (LIBXC + STATIC_DATA_END + END, None),
        (LIBXC + STATIC_DATA_END, "OSError"),
        (LIBXC + STATIC_DATA_END + struct.pack("<II", 0x7FFFFFF0, 0), "StreamError"),
        (b"\0" + LIBXC + STATIC_DATA_END + END, "StreamError"),
        (LIBXC + struct.pack("<II", 0, 8) + bytes(8), "RecordError"),
    ],
)
def test_program_and_process_agree(stream: bytes, error: str | None) -> None:
    verdict = peer.judge(stream, "libxc")
    assert verdict.error == error
    code, output = peer.run(stream, "libxc")
    assert (code == 0) == verdict.accepted
    assert error is None or error in output
