#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots: what they wait for, and what is in them."""

import os
import subprocess
import sys
import time

from rig import named, run_all, scenario, soon, wait_for, QEMU
from session import hooked, start_time
from wire import (asked, at_end, leave, read_physical, reply,
                  write_physical)


def idle_firmware(lab):
    """It does nothing. The usual one resets the machine once more when it finds
    that it has run before: a reset that may come as late as after a load."""
    path = lab.file('firmware')
    with open(path, 'wb') as f:
        f.write(b'\x90' * 0xfff0 + b'\xfa\xf4\xeb\xfd'.ljust(16, b'\x90'))
    return path


def with_disk(lab, *args):
    """A session, and a node that takes snapshots."""
    path = lab.file('disk')
    subprocess.run([os.path.join(os.path.dirname(QEMU), 'qemu-img'), 'create',
                    '-q', '-f', 'qcow2', path, '1M'], check=True)
    return hooked(lab, '-drive', f'if=none,id=d,node-name=n,file={path}',
                  '-bios', idle_firmware(lab), *args)


def job_done(qmp, name):
    while True:
        data = qmp.event('JOB_STATUS_CHANGE')
        if data == {'id': name, 'status': 'concluded'}:
            break
    job = [j for j in qmp.ok('query-jobs') if j['id'] == name][0]
    assert 'error' not in job, job
    qmp.ok('job-dismiss', id=name)


def snapshot(qmp, command, name):
    qmp.ok(command, **{'job-id': name, 'tag': 's', 'vmstate': 'n',
                       'devices': ['n']})


@scenario(39, 40)
def test_snapshot_waits_and_loading_cuts(lab):
    conn, hello, a, _ = with_disk(lab)
    snapshot(a, 'snapshot-save', 'save')
    asked(conn)
    assert a.ok('query-introspection')['pending'] == ['snapshot']
    assert a.status() == 'running'
    conn.close()
    a.event('STOP')
    a.event('RESUME')
    job_done(a, 'save')
    conn, second = lab.hooked()
    assert start_time(second) == start_time(hello)
    a.ok('system_reset')
    assert at_end(conn)
    conn, third = lab.hooked()
    assert start_time(third) > start_time(hello)
    snapshot(a, 'snapshot-load', 'load')
    assert at_end(conn)
    job_done(a, 'load')
    _conn, fourth = lab.hooked()
    assert start_time(fourth) == start_time(hello)
    assert lab.log().count('PREUNHOOK') == 1


@scenario(39, 40)
def test_snapshot_of_the_human_monitor(lab):
    conn, hello, a, b = with_disk(lab)
    a.send('human-monitor-command', **{'command-line': 'savevm s'})
    asked(conn)
    b.send('query-status')
    b.no_reply(0.2)
    conn.close()
    assert a.done('human-monitor-command') == ''
    b.done('query-status')
    conn, second = lab.hooked()
    assert start_time(second) == start_time(hello)
    assert a.hmp('loadvm s') == ''
    assert at_end(conn)
    _conn, third = lab.hooked()
    assert start_time(third) == start_time(hello)


@scenario(41)
def test_stop_save_cont(lab):
    """What libvirt does: the save begins when the tool has left."""
    conn, _, a, _ = with_disk(lab)
    a.send('stop')
    leave(conn)
    a.done('stop')
    assert a.hmp('savevm s') == ''
    lab.silence(0.3)
    a.ok('cont')
    lab.hooked()
    assert lab.log().count('PREUNHOOK') == 1


BREAKPOINT_AT = 32 << 20


def set_breakpoint(lab, conn):
    if lab.real:
        assert read_physical(conn, BREAKPOINT_AT, 1) == b'\0'
        write_physical(conn, BREAKPOINT_AT, b'\xcc')
        assert read_physical(conn, BREAKPOINT_AT, 1) == b'\xcc'


@scenario(42)
def test_start_from_a_snapshot(lab):
    """What is in it is the guest's own: the tool was asked before."""
    conn, hello, a, _ = with_disk(lab)
    set_breakpoint(lab, conn)
    a.send('human-monitor-command', **{'command-line': 'savevm s'})
    asked(conn)
    if lab.real:
        write_physical(conn, BREAKPOINT_AT, b'\0')
    conn.close()
    a.done('human-monitor-command')
    lab.accept()
    a.ok('quit')
    lab.vm.wait(soon(5))
    time.sleep(1.1)
    lab.start('-drive', f'if=none,id=d,node-name=n,file={lab.file("disk")}',
              '-bios', idle_firmware(lab), '-loadvm', 's')
    while True:
        conn, _ = lab.listener.accept()
        conn.settimeout(soon(5))
        second = conn.recv(4096)
        if second and start_time(second) == start_time(hello):
            break
        assert at_end(conn)
    conn.sendall(reply())
    b = lab.qmp()
    wait_for('hook', lambda: b.state() == 'hooked')
    set_breakpoint(lab, conn)


@scenario(43)
def test_snapshot_that_is_not_there(lab):
    conn, _, a, _ = with_disk(lab)
    a.ok('snapshot-load', **{'job-id': 'load', 'tag': 'no', 'vmstate': 'n',
                             'devices': ['n']})
    assert at_end(conn)
    wait_for('job', lambda: [j for j in a.ok('query-jobs')
                             if j['status'] == 'concluded'])
    assert 'error' in a.ok('query-jobs')[0]
    # So does QEMU without introspection.
    assert a.status() == 'restore-vm'
    lab.silence(0.3)


if __name__ == '__main__':
    sys.exit(run_all([], named(globals(), 'test_')))
