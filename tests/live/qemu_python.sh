#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The Python bindings against our QEMU and our KVM, with no more in the guest
# than its firmware: memory, registers, a pause, asyncio, a reset.
#
# lab: calm qemu python timeout=120

if ! python3 -c 'import _cffi_backend' 2>/dev/null; then
	echo "python3-cffi is not here"
	exit 77
fi
exec python3 -B - <<'END'
import asyncio
import errno
import json
import os
import socket
import struct
import subprocess
import time

import kvmi
import kvmi.aio

TOOL, QMP = "/tmp/python-tool", "/tmp/python-qmp"


def start():
    return subprocess.Popen([
        "qemu-system-x86_64", "-accel", "kvm", "-m", "64", "-nodefaults",
        "-display", "none", "-name", "snake",
        "-qmp", f"unix:{QMP},server=on,wait=off",
        "-chardev", f"socket,id=c,path={TOOL},reconnect-ms=100",
        "-object", "introspection,id=i,chardev=c"])


class Monitor:
    def __init__(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(QMP)
        self.file = sock.makefile("rw")
        self.file.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.file.write(json.dumps({"execute": command,
                                    "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]


def check_memory(vm, monitor):
    firmware = vm.memory.read(0xf0000, 0x10000)
    assert b"SeaBIOS" in firmware
    got = vm.memory.read_ranges([(0xf0001, 20000), (1 << 40, 8), (0xf0000, 4)])
    assert got == [firmware[1:20001], None, firmware[:4]]
    vm.memory.write(0x9000, b"\xa5\x5a\xc3")
    seen = monitor.run("human-monitor-command",
                       **{"command-line": "xp /3xb 0x9000"})
    assert "0xa5 0x5a 0xc3" in seen, seen
    assert vm.memory.max_gfn() << 12 == vm.identity.max_gpa


def check_vcpu(vm):
    vm.vcpu(0).pause()
    with vm.next_event(10) as event:
        assert event.kind == kvmi.EventKind.PAUSE
        state = vm.vcpu(0).registers([0x277])
        assert state.regs == event.regs
        assert state.msrs[0x277] == event.msrs.pat
    assert vm.vcpu(0).cpuid(0).eax > 0
    try:
        vm.vcpu(9).registers()
    except kvmi.KvmiError as error:
        assert (error.errno, error.vcpu) == (errno.EINVAL, 9), error
        print(error)
    else:
        raise AssertionError("there is no vCPU 9")


async def check_loop(vm):
    async with kvmi.aio.Session(vm) as session:
        data, speed = await asyncio.gather(
            session.read(0xe0000, 0x20000),
            session.vcpu_command(kvmi.Command.VCPU_GET_INFO, 0))
        assert data == vm.memory.read(0xe0000, 0x20000)
        assert struct.unpack("<Q", speed)[0] == vm.vcpu(0).tsc_speed()
        vm.vcpu(0).pause()
        with await session.next_event() as event:
            assert event.kind == kvmi.EventKind.PAUSE


with kvmi.Listener(TOOL, kvmi.Options(own_events=True)) as listener:
    qemu = start()
    try:
        vm = asyncio.run(kvmi.aio.accept(listener, "snake"))
        monitor = Monitor()
        # The firmware is in its shadow when it has come so far.
        time.sleep(3)
        check_memory(vm, monitor)
        check_vcpu(vm)
        asyncio.run(check_loop(vm))
        monitor.run("system_reset")
        assert [e.data for e in vm.events(10)] == [kvmi.EndData(kvmi.End.LOST)]
        assert vm.end == kvmi.End.LOST
        with listener.accept("snake", 10) as again:
            assert vm.identity.compare(again.identity) == kvmi.Run.NEWER
            assert again.next_event(0).data.run == kvmi.Run.NEWER
            assert again.version().version == 1
        vm.close()
    finally:
        qemu.kill()
        qemu.wait()
        os.unlink(QMP)
END
