#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that the tool crashes, or that ends by itself."""

import struct
import sys

from rig import named, run_all, scenario, soon, wait_for
from wire import at_end

# kvm_run.flags
SMM, GUEST_MODE, CRASH = 1 << 0, 1 << 2, 1 << 15
# The bytes of a BIOS that shuts the processor down.
TRIPLE_FAULT = bytes.fromhex(
    '0f011e0000'    # lidt  [0]
    '0f20c0'        # mov   eax, cr0
    '0c01'          # or    al, 1
    '0f22c0'        # mov   cr0, eax
    '8ed8')         # mov   ds, ax: no such descriptor


def crash(lab, *args, vcpu=0):
    """The tool of a session crashes the guest; return (tool, monitor)."""
    lab.listen()
    lab.start('-S', *args)
    conn, _ = lab.hooked()
    qmp = lab.qmp()
    lab.crash(conn, qmp, vcpu)
    return conn, qmp


def panicked(qmp, action, vcpu=0):
    assert qmp.event('GUEST_PANICKED') == {
        'action': action,
        'info': {'type': 'introspection', 'cpu-index': vcpu}}


def test_crash_shutdown(lab):
    conn, qmp = crash(lab, '-action', 'panic=shutdown')
    panicked(qmp, 'poweroff')
    assert qmp.event('SHUTDOWN') == {'guest': True, 'reason': 'guest-panic'}
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0
    assert 'crashed the guest on vCPU 0' in lab.stderr()


def test_crash_exit_failure(lab):
    _conn, qmp = crash(lab, '-action', 'panic=exit-failure')
    panicked(qmp, 'poweroff')
    assert qmp.event('SHUTDOWN')['reason'] == 'guest-panic'
    assert lab.vm.wait(soon(5)) == 1


def test_crash_pause(lab):
    conn, qmp = crash(lab, '-action', 'panic=pause')
    panicked(qmp, 'pause')
    qmp.event('STOP')
    assert qmp.ok('query-status')['status'] == 'guest-panicked'
    # The tool may look at what it has found, and the VM may go on.
    assert 'UNHOOK' not in lab.log()
    qmp.ok('cont')
    assert qmp.ok('query-status')['status'] == 'running'
    qmp.ok('system_reset')
    assert qmp.event('RESET') == {'guest': False, 'reason': 'host-qmp-system-reset'}
    assert at_end(conn)
    lab.hooked()


def test_crash_none(lab):
    """The vCPU goes on, and may be crashed again."""
    conn, qmp = crash(lab, '-action', 'panic=none')
    panicked(qmp, 'run')
    for _ in range(3):
        lab.crash(conn, qmp)
        # The vCPU leaves KVM, and comes back.
        qmp.hmp('info registers')
        panicked(qmp, 'run')
    assert qmp.ok('query-status')['status'] == 'running'
    assert 'UNHOOK' not in lab.log()
    assert lab.stderr().count('crashed the guest') == 1


def test_crash_with_no_shutdown(lab):
    _conn, qmp = crash(lab, '-no-shutdown')
    panicked(qmp, 'pause')
    wait_for('stop', lambda:
             qmp.ok('query-status')['status'] == 'guest-panicked')


def test_crash_on_another_vcpu(lab):
    _conn, qmp = crash(lab, '-smp', '2', '-action', 'panic=pause', vcpu=1)
    panicked(qmp, 'pause', 1)
    assert 'vCPU 1' in lab.stderr()


def test_crash_with_a_waiting_vcpu(lab):
    lab.hold(1)
    lab.listen()
    lab.start('-S', '-smp', '2')
    conn, _ = lab.hooked()
    qmp = lab.qmp()
    if lab.real:
        qmp.ok('cont')
        # The firmware starts it.
        lab.held(conn, 1)
    lab.crash(conn, qmp)
    panicked(qmp, 'poweroff')
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0


def test_crash_without_a_session(lab):
    lab.down(0, CRASH)
    lab.start('-S', '-action', 'panic=pause', obj=False, chardev='null,id=c')
    qmp = lab.qmp()
    qmp.ok('cont')
    panicked(qmp, 'pause')


@scenario(45)
def test_triple_fault(lab):
    """Without the flag it is a reset, also with others."""
    lab.down(0, SMM | GUEST_MODE)
    lab.listen()
    lab.start('-S', '-action', 'panic=pause')
    conn, _ = lab.hooked()
    qmp = lab.qmp()
    qmp.ok('cont')
    assert qmp.event('RESET') == {'guest': True, 'reason': 'guest-reset'}
    assert at_end(conn)
    lab.hooked()
    assert qmp.ok('query-status')['status'] == 'running'


def faulting(lab, *args):
    """A session with a guest that comes to a triple fault."""
    with open(lab.file('bios'), 'wb') as f:
        f.write(TRIPLE_FAULT.ljust(16, b'\xf4').rjust(65536, b'\xf4'))
    lab.listen()
    lab.start('-S', '-bios', lab.file('bios'), *args)
    conn, _ = lab.hooked()
    return conn, lab.qmp()


@scenario(45)
def test_triple_fault_of_a_guest(lab):
    """A fault without an IDT: this one comes from KVM itself."""
    conn, qmp = faulting(lab, '-action', 'panic=pause,reboot=shutdown')
    qmp.ok('cont')
    assert qmp.event('SHUTDOWN') == {'guest': True, 'reason': 'guest-reset'}
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0


@scenario(45)
def test_guest_that_resets_again_and_again(lab):
    conn, qmp = faulting(lab, '-action', 'panic=pause')
    qmp.ok('cont')
    for _ in range(3):
        assert qmp.event('RESET') == {'guest': True, 'reason': 'guest-reset'}
    assert at_end(conn)
    qmp.ok('quit')
    assert lab.vm.wait(soon(5)) == 0


@scenario(45)
def test_watchdog_resets(lab):
    """A device that nobody feeds, started by its own ports."""
    lab.listen()
    lab.start('-S', '-M', 'q35', '-device', 'ib700', '-action',
              'watchdog=reset')
    conn, first = lab.hooked()
    qmp = lab.qmp()
    qmp.ok('cont')
    qmp.hmp('o /b 0x443 0xf')   # as soon as it can be
    assert qmp.event('WATCHDOG') == {'action': 'reset'}
    assert qmp.event('RESET')['reason'] == 'guest-reset'
    assert at_end(conn)
    _conn, second = lab.hooked()
    assert struct.unpack_from('=q', second, 24) > \
        struct.unpack_from('=q', first, 24)


if __name__ == '__main__':
    sys.exit(run_all([], named(globals(), 'test_')))
