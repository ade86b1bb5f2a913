#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A vCPU stands still, for the tool does not answer or KVM does not come back."""

import sys
import time

from rig import named, run_all, scenario, soon
from session import disconnected, hooked
from wire import at_end, leave


@scenario(48)
def test_reset_with_a_waiting_vcpu(lab):
    lab.listen()
    lab.hold()
    lab.start()
    conn, _ = lab.hooked()
    lab.held(conn)
    qmp = lab.qmp()
    qmp.ok('system_reset')
    assert at_end(conn)
    lab.release()
    lab.hooked()
    assert qmp.ok('query-status')['status'] == 'running'


@scenario(48)
def test_quit_with_a_waiting_vcpu(lab):
    lab.listen()
    lab.hold()
    lab.start()
    conn, _ = lab.hooked()
    lab.held(conn)
    lab.qmp().ok('quit')
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0
    assert lab.log().count('UNHOOK') == 1


@scenario(48)
def test_sigterm_with_a_waiting_vcpu(lab):
    lab.listen()
    lab.hold()
    lab.start()
    conn, _ = lab.hooked()
    lab.held(conn)
    lab.vm.terminate()
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0


@scenario(48)
def test_stalled_vcpu_and_actions(lab):
    """A vCPU stands still: reset, quit, SIGTERM and loadvm end at once."""
    lab.hold()
    conn, _, a, _ = hooked(lab)
    lab.held(conn)
    begin = time.monotonic()
    a.ok('system_reset')
    a.event('RESET')
    assert at_end(conn)
    assert time.monotonic() - begin < soon(1)
    conn, _ = lab.hooked()
    lab.held(conn)
    begin = time.monotonic()
    a.hmp('loadvm nothing')
    assert at_end(conn)
    assert time.monotonic() - begin < soon(1)
    lab.vm.terminate()
    assert lab.vm.wait(soon(1)) == 0


def watchdog(line):
    @scenario(49)
    def test(lab):
        lab.hold(deaf=True)
        conn, _, a, _ = hooked(lab, obj=',stall_timeout=2')
        lab.held(conn)
        lab.release()
        begin = time.monotonic()
        a.hmp(line.replace('FILE', f'"{lab.file("out")}"'))
        took = time.monotonic() - begin
        assert 1 < took < 2 + soon(3), took
        assert at_end(conn)
        disconnected(a, 'stalled')
        assert 'stood still' in lab.stderr()
    test.__name__ = 'test_watchdog_' + line.split()[0]
    return test


@scenario(50)
def test_emergency_exit(lab):
    lab.hold(deaf=True)
    lab.listen()
    lab.start(obj=',stall_timeout=0')
    conn, _ = lab.hooked()
    a = lab.qmp(oob=True)
    b = lab.qmp('qmp2')
    lab.held(conn)
    a.send('human-monitor-command', **{'command-line': 'info registers'})
    a.no_reply(0.5)
    b.send('query-status')
    b.no_reply(0.5)
    lab.release()
    a.send_oob('yank', instances=[{'type': 'chardev', 'id': 'c'}])
    answers = [a.reply()['id'], a.reply()['id']]
    assert sorted(answers) == ['human-monitor-command', 'yank']
    b.done('query-status')
    assert at_end(conn)


@scenario(50)
def test_stalled_vcpu_and_firmware(lab):
    """The other vCPU changes the memory map, which waits for all of them."""
    lab.hold(1, deaf=True)
    lab.listen()
    lab.start('-smp', '2', '-S', '-M', 'q35', obj=',stall_timeout=2')
    conn, _ = lab.hooked()
    a = lab.qmp()
    a.ok('cont')
    lab.held(conn, 1)
    lab.release()
    assert at_end(conn)
    assert a.status() == 'running'
    disconnected(a, 'stalled')


@scenario(51)
def test_stalled_vcpu_and_a_stop(lab):
    lab.hold()
    conn, _, a, _ = hooked(lab)
    lab.held(conn)
    lab.release()
    a.send('stop')
    leave(conn)
    a.done('stop')


if __name__ == '__main__':
    sys.exit(run_all([], named(globals(), 'test_') + [
        watchdog(line) for line in (
            'info registers', 'memsave 0 16 FILE', 'nmi',
            'dump-guest-memory FILE')]))
