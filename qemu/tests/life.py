#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What waits for the tool to leave, and what does not: stop, migration,
snapshots, reset and the end, with a scripted tool."""

import os
import signal
import struct
import subprocess
import sys
import time

from object import faulting
from rig import run_all, scenario, soon, wait_for, QEMU, Skip
from wire import (asked, at_end, leave, read_physical, reply,
                  write_physical)

ENOENT = 2


def start_time(hello):
    return struct.unpack_from('=q', hello, 24)[0]


def hooked(lab, *args, obj='', quiet=False):
    """A running VM with a session; return tool, hello and two monitors."""
    lab.listen()
    lab.start(*args, obj=obj)
    conn, hello = lab.hooked(quiet=quiet)
    return conn, hello, lab.qmp(), lab.qmp('qmp2')


def disconnected(qmp, reason):
    assert qmp.event('INTROSPECTION_DISCONNECTED') == \
        {'id': 'v', 'reason': reason}


@scenario(21, 22, 55)
def test_stop_waits_and_cont_reconnects(lab):
    conn, hello, a, b = hooked(lab)
    assert a.state() == 'hooked'
    a.send('stop')
    asked(conn)
    assert a.event('INTROSPECTION_UNHOOK_PENDING') == \
        {'id': 'v', 'action': 'stop', 'timeout': 60}
    a.send('query-status')
    a.no_reply()
    assert b.status() == 'running'
    info = b.ok('query-introspection')
    assert info['state'] == 'unhooking' and info['pending'] == ['stop']
    assert 50 < info['unhook-seconds'] <= 60
    assert 'asked to leave' in b.hmp('info introspection')
    conn.close()
    assert a.done('stop') == {}
    assert a.done('query-status')['status'] == 'paused'
    disconnected(a, 'unhooked')
    a.event('STOP')
    assert lab.lines() == ['HOOK 0', 'PREUNHOOK 0', 'UNHOOK']
    lab.silence()
    assert a.state() == 'held'
    begin = time.monotonic()
    a.ok('cont')
    _conn, second = lab.hooked()
    assert time.monotonic() - begin < soon(0.3)
    assert start_time(second) == start_time(hello)
    assert a.state() == 'hooked'
    a.event('INTROSPECTION_CONNECTED')
    assert a.event('INTROSPECTION_HOOKED') == \
        {'id': 'v', 'authenticated': False}


@scenario(23)
def test_stop_does_not_wait_for_ever(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_timeout=1')
    begin = time.monotonic()
    a.ok('stop')
    assert 0.9 < time.monotonic() - begin < 1 + soon(1)
    asked(conn)
    assert at_end(conn)
    assert a.status() == 'paused'
    disconnected(a, 'unhook-timeout')
    assert 'asked to leave and did not' in lab.stderr()


def test_unhook_timeout_zero_is_not_to_wait(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_timeout=0')
    a.ok('stop')
    assert at_end(conn)
    assert 'PREUNHOOK' not in lab.log()


@scenario(24)
def test_stop_of_a_tool_that_cannot_be_asked(lab):
    if not lab.real:
        lab.fail(f'PREUNHOOK {ENOENT}\n')
    conn, _, a, _ = hooked(lab, quiet=True)
    a.ok('stop')
    assert at_end(conn)
    assert f'PREUNHOOK -{ENOENT}' in lab.log()
    assert a.status() == 'paused'
    disconnected(a, 'unhook-refused')


@scenario(25)
def test_cont_takes_a_stop_back(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.ok('cont')
    answer = a.reply()
    assert answer['id'] == 'stop' and 'taken back' in answer['error']['desc']
    conn.close()
    conn, _ = lab.hooked()
    assert not a.seen('STOP')
    a.send('stop')
    leave(conn)
    a.done('stop')
    assert a.status() == 'paused'


@scenario(26)
def test_two_stops_are_one(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.send('stop')
    b.no_reply(0.2)
    conn.close()
    a.done('stop')
    b.done('stop')
    assert lab.log().count('PREUNHOOK') == 1


@scenario(26)
def test_reply_is_not_for_the_next_client(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    a.sock.close()
    a.lines.close()
    a = lab.qmp()
    assert a.status() == 'running'
    conn.close()
    wait_for('stop', lambda: b.status() == 'paused')
    a.no_reply()
    assert a.status() == 'paused'


@scenario(26)
def test_many_clients_come_and_go(lab):
    """Whether the monitor is suspended comes out even."""
    conn, _, a, b = hooked(lab)
    for _ in range(20):
        a.send('stop')
        asked(conn)
        a.sock.close()
        a.lines.close()
        a = lab.qmp()
        conn.close()
        wait_for('stop', lambda: b.status() == 'paused')
        assert a.status() == 'paused'
        a.ok('cont')
        conn, _ = lab.hooked()


def test_stop_with_oob(lab):
    """Out-of-band commands go on; those behind the stop wait in order."""
    lab.listen()
    lab.start()
    conn, _ = lab.hooked()
    b = lab.qmp(oob=True)
    b.send('stop')
    asked(conn)
    for _ in range(3):
        b.send('query-status')
    b.no_reply(0.2)
    b.send_oob('query-yank')
    assert b.reply()['id'] == 'query-yank'
    conn.close()
    b.done('stop')
    for _ in range(3):
        assert b.done('query-status')['status'] == 'paused'


@scenario(27)
def test_quit_while_a_stop_waits(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    begin = time.monotonic()
    b.ok('quit')
    assert lab.vm.wait(soon(5)) == 0
    assert time.monotonic() - begin < soon(1)
    assert at_end(conn)


@scenario(27)
def test_reset_while_a_stop_waits(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.ok('system_reset')
    assert at_end(conn)
    a.done('stop')
    b.event('RESET')
    assert b.status() in ('prelaunch', 'paused')
    assert lab.lines().count('UNHOOK') == 1


@scenario(44)
def test_reset_of_a_stopped_vm(lab):
    """It is as with -S: the tool may come before the first instruction."""
    conn, _, a, _ = hooked(lab)
    a.send('stop')
    leave(conn)
    a.done('stop')
    a.ok('system_reset')
    a.event('RESET')
    assert a.status() == 'prelaunch'
    _conn, _ = lab.hooked()
    assert a.state() == 'hooked'


@scenario(28)
def test_stop_without_a_session(lab):
    lab.listen()
    lab.start()
    a = lab.qmp()
    conn, _ = lab.accept()
    a.ok('stop')
    assert at_end(conn)
    a.ok('stop')
    assert a.status() == 'paused'
    lab.silence(0.3)
    assert 'HOOK' not in lab.log()
    disconnected(a, 'held')


@scenario(29)
def test_stop_in_the_old_way(lab):
    """Nothing else is executed meanwhile, and nothing hangs."""
    conn, _, a, b = hooked(lab, obj=',async_unhook=off')
    a.send('stop')
    asked(conn)
    b.send('query-status')
    b.no_reply(0.2)
    conn.close()
    a.done('stop')
    assert b.done('query-status')['status'] == 'paused'
    a.ok('cont')
    conn, _ = lab.hooked()
    b.send('human-monitor-command', **{'command-line': 'stop'})
    leave(conn)
    b.done('human-monitor-command')
    assert a.status() == 'paused'


@scenario(29)
def test_stop_of_the_human_monitor(lab):
    conn, _, a, b = hooked(lab)
    assert 'Waiting for the introspection tool' in a.hmp('stop')
    assert a.status() == 'running'
    leave(conn)
    wait_for('stop', lambda: a.status() == 'paused')


def test_old_way_and_sigterm(lab):
    conn, _, a, _ = hooked(lab, obj=',async_unhook=off')
    a.send('stop')
    asked(conn)
    lab.vm.terminate()
    assert lab.vm.wait(soon(5)) == 0


@scenario(30)
def test_session_before_the_first_instruction(lab):
    lab.listen()
    lab.start('-S')
    conn, _ = lab.hooked()
    a = lab.qmp()
    a.ok('cont')
    assert a.status() == 'running'
    assert 'UNHOOK' not in lab.log()
    assert a.state() == 'hooked'


@scenario(46)
def test_powerdown_waits(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('system_powerdown')
    asked(conn)
    assert a.status() == 'running'
    assert not a.seen('POWERDOWN')
    conn.close()
    a.event('POWERDOWN')
    lab.hooked()
    assert a.status() == 'running'


@scenario(46)
def test_powerdown_does_not_wait(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_on_shutdown=off')
    a.ok('system_powerdown')
    a.event('POWERDOWN')
    assert a.state() == 'hooked'
    assert 'PREUNHOOK' not in lab.log()


@scenario(46, 26)
def test_stop_and_powerdown_wait_together(lab):
    conn, _, a, b = hooked(lab)
    a.send('stop')
    asked(conn)
    b.ok('system_powerdown')
    wait_for('both', lambda: b.ok('query-introspection')['pending'] ==
             ['stop', 'powerdown'])
    b.send('introspection-disconnect')
    b.no_reply(0.1)
    conn.close()
    a.done('stop')
    b.done('introspection-disconnect')
    a.event('POWERDOWN')
    assert lab.log().count('PREUNHOOK') == 1


@scenario(47)
def test_quit(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('quit')
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0
    disconnected(a, 'shutdown')


@scenario(47)
def test_sigterm(lab):
    conn, _, _, _ = hooked(lab)
    lab.vm.terminate()
    assert at_end(conn)
    assert lab.vm.wait(soon(5)) == 0


@scenario(47)
def test_shutdown_that_pauses(lab):
    conn, a = faulting(lab, '-action', 'reboot=shutdown,shutdown=pause')
    a.ok('cont')
    assert at_end(conn)
    wait_for('end', lambda: a.status() == 'shutdown')
    lab.silence(0.3)
    a.ok('set-action', reboot='reset', shutdown='poweroff')
    a.ok('system_reset')
    a.event('RESET')
    a.ok('cont')
    lab.accept()


@scenario(20)
def test_documented_lines(lab):
    """As documents of the original and ours write them."""
    lab.listen()
    for n, args in enumerate((
            (f'socket,id=c,type=unix,path={lab.tool_path},reconnect=10',
             ',handshake_timeout=10,unhook_timeout=60,async_unhook=on,'
             'unhook_on_shutdown=on'),
            (f'socket,id=c,path={lab.tool_path},reconnect=10',
             ',key=k,command=10,command=8,event=1,event=3'),
            ('socket,id=c,type=vsock,cid=1,port=4321,reconnect=10', ''))):
        lab.start('-object', 'secret,id=k,data=some', chardev=args[0],
                  obj=args[1])
        qmp = lab.qmp()
        chardev = [c for c in qmp.ok('query-chardev') if c['label'] == 'c'][0]
        assert ('vsock:1:4321' if n == 2 else 'unix:') in chardev['filename']
        qmp.ok('quit')
        lab.vm.wait(soon(5))
    lab.start(chardev='socket,id=c,type=unix,cid=1,port=1')
    lab.fails("'type' is 'unix', the address is 'vsock'")


@scenario(52)
def test_disconnect_and_delete(lab):
    lab.listen()
    lab.start(obj=False, chardev='null,id=d')
    a = lab.qmp()
    for n in range(100):
        a.ok('chardev-add', id='c', backend={'type': 'socket', 'data': {
            'addr': {'type': 'unix', 'data': {'path': lab.tool_path}},
            'server': False, 'reconnect-ms': 1000}})
        a.ok('object-add', **{'qom-type': 'introspection', 'id': 'v',
                              'chardev': 'c'})
        if n % 3 == 0:
            conn, _ = lab.hooked()
        else:
            conn, _ = lab.accept()
        if n % 5 == 0:
            assert 'in use' in a.error('object-del', id='v')
            assert 'busy' in a.error('chardev-remove', id='c')
        a.ok('introspection-disconnect', force=True)
        a.ok('object-del', id='v')
        a.ok('chardev-remove', id='c')
        conn.close()
    # Nothing that is gone is called.
    a.ok('migrate', uri='exec:cat >/dev/null')
    wait_for('migration', lambda:
             a.ok('query-migrate')['status'] == 'completed')
    a.ok('cont')
    a.ok('stop')
    a.ok('system_reset')
    a.ok('quit')
    assert lab.vm.wait(soon(5)) == 0


@scenario(52)
def test_disconnect(lab):
    conn, _, a, b = hooked(lab)
    a.send('introspection-disconnect')
    asked(conn)
    a.no_reply(0.2)
    conn.close()
    a.done('introspection-disconnect')
    disconnected(a, 'unhooked')
    conn, _ = lab.hooked()
    a.ok('introspection-disconnect', force=True)
    assert at_end(conn)
    disconnected(a, 'user')
    conn, _ = lab.accept()
    a.ok('introspection-disconnect')
    assert at_end(conn)
    disconnected(a, 'user')
    assert lab.log().count('PREUNHOOK') == 1


@scenario(53)
def test_held_and_nobody_listens(lab):
    """No storm of connections: the VM is stopped, the tool is gone."""
    def seconds():
        with open(f'/proc/{lab.vm.pid}/stat') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    lab.listen()
    lab.start(chardev=f'socket,id=c,path={lab.tool_path},reconnect-ms=1')
    conn, _ = lab.hooked()
    a = lab.qmp()
    lab.listener.close()
    os.unlink(lab.tool_path)
    a.send('stop')
    leave(conn)
    a.done('stop')
    before = seconds()
    time.sleep(3)
    assert seconds() - before < soon(0.12), seconds() - before
    lab.listen()
    lab.silence()
    a.ok('cont')
    lab.hooked()


def test_query_without_an_object(lab):
    lab.start(obj=False, chardev='null,id=c')
    a = lab.qmp()
    assert 'no introspection object' in a.error('query-introspection')
    assert 'no introspection object' in a.error('introspection-disconnect')
    assert 'no introspection object' in a.hmp('info introspection')
    a.ok('stop')
    a.ok('cont')
    a.ok('system_powerdown')
    a.event('POWERDOWN')


# Migrations: the source is "lab" itself, the destination "dst".

def destination(lab, *args, obj=''):
    dst = lab.another('dst')
    dst.listen()
    dst.start('-incoming', f'unix:{lab.file("migration")}', *args, obj=obj)
    dst.qmp().sock.close()
    return dst


def migrate(lab, qmp):
    qmp.ok('migrate-set-capabilities',
           capabilities=[{'capability': 'events', 'state': True}])
    qmp.ok('migrate', uri=f'unix:{lab.file("migration")}')


def migration(qmp, *states):
    for state in states:
        status = qmp.event('MIGRATION')['status']
        while status in ('device', 'pre-switchover'):
            status = qmp.event('MIGRATION')['status']
        assert status == state, (status, state)


@scenario(31, 34, 55)
def test_migration_waits(lab):
    conn, hello, a, _ = hooked(lab)
    time.sleep(1.1)
    dst = destination(lab)
    b = dst.qmp('qmp2')
    assert b.status() == 'inmigrate'
    assert b.state() == 'held'
    dst_time = b.ok('query-introspection')['start-time']
    # What connects before there is a guest is turned away, without a hello.
    early, _ = dst.listener.accept()
    early.settimeout(soon(5))
    assert at_end(early)
    migrate(lab, a)
    migration(a, 'setup', 'wait-unplug')
    asked(conn)
    assert a.status() == 'running'
    assert a.ok('query-introspection')['pending'] == ['migrate']
    dst.silence(0.3)
    conn.close()
    migration(a, 'active', 'completed')
    b.event('RESUME')
    _conn, second = dst.hooked()
    assert start_time(second) != dst_time
    assert start_time(second) == start_time(hello)
    assert a.status() == 'postmigrate'
    lab.silence(0.3)
    assert a.state() == 'held'
    assert b.state() == 'hooked'


@scenario(32)
def test_migration_does_not_wait_for_ever(lab):
    conn, _, a, _ = hooked(lab, obj=',unhook_timeout=1')
    dst = destination(lab)
    migrate(lab, a)
    migration(a, 'setup', 'wait-unplug', 'active', 'completed')
    asked(conn)
    assert at_end(conn)
    assert 'asked to leave and did not' in lab.stderr()


@scenario(32)
def test_migration_without_a_tool(lab):
    lab.start()
    a = lab.qmp()
    destination(lab)
    migrate(lab, a)
    migration(a, 'setup', 'active', 'completed')


@scenario(33)
def test_migration_cancelled(lab):
    conn, hello, a, _ = hooked(lab)
    destination(lab)
    migrate(lab, a)
    migration(a, 'setup', 'wait-unplug')
    asked(conn)
    begin = time.monotonic()
    a.ok('migrate_cancel')
    migration(a, 'cancelling', 'cancelled')
    assert time.monotonic() - begin < soon(1)
    assert a.status() == 'running'
    conn.close()
    _conn, second = lab.hooked()
    assert second[4:104] == hello[4:104]


@scenario(33)
def test_migration_failed(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('migrate', uri='unix:' + lab.file('nobody'))
    wait_for('failure', lambda:
             a.ok('query-migrate')['status'] == 'failed')
    assert a.state() == 'hooked'
    dst = destination(lab)
    migrate(lab, a)
    migration(a, 'setup', 'wait-unplug')
    dst.vm.kill()
    leave(conn)
    migration(a, 'active', 'failed')
    lab.hooked()
    assert a.status() == 'running'


@scenario(35)
def test_migration_to_one_without_the_object(lab):
    conn, _, a, _ = hooked(lab)
    dst = destination(lab, obj=False)
    migrate(lab, a)
    leave(conn)
    assert dst.vm.wait(soon(10)) == 1
    assert 'vm_introspection' in dst.stderr()
    wait_for('end', lambda: a.status() in ('running', 'postmigrate'))
    if a.status() != 'running':
        # Nothing told the source: the user goes on.
        a.ok('cont')
    lab.hooked()


@scenario(36)
def test_migration_to_a_file(lab):
    """As libvirt saves a VM: stop first."""
    conn, hello, a, _ = hooked(lab)
    a.send('stop')
    leave(conn)
    a.done('stop')
    a.ok('migrate-set-capabilities',
         capabilities=[{'capability': 'events', 'state': True}])
    a.ok('migrate', uri='file:' + lab.file('saved'))
    migration(a, 'setup', 'active', 'completed')
    assert lab.log().count('PREUNHOOK') == 1
    a.ok('quit')
    assert lab.vm.wait(soon(5)) == 0
    dst = lab.another('dst')
    dst.listen()
    dst.start('-incoming', 'file:' + lab.file('saved'))
    b = dst.qmp()
    wait_for('load', lambda: b.status() == 'paused')
    assert b.state() == 'held'
    assert at_end(dst.listener.accept()[0])
    b.ok('cont')
    _conn, second = dst.hooked()
    assert start_time(second) == start_time(hello)


@scenario(36)
def test_background_snapshot(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('migrate-set-capabilities', capabilities=[
        {'capability': 'events', 'state': True},
        {'capability': 'background-snapshot', 'state': True}])
    answer = a('migrate', uri='file:' + lab.file('saved'))
    if 'error' in answer:
        raise Skip(answer['error']['desc'])
    migration(a, 'setup', 'wait-unplug')
    leave(conn)
    migration(a, 'active', 'completed')
    lab.hooked()
    assert a.status() == 'running'


@scenario(37)
def test_cpr_is_refused(lab):
    conn, _, a, _ = hooked(lab)
    a.ok('migrate-set-parameters', mode='cpr-reboot')
    text = a.error('migrate', uri='file:' + lab.file('saved'))
    assert 'being introspected' in text, text
    assert a.state() == 'hooked'
    a.send('stop')
    leave(conn)
    a.done('stop')
    a.ok('migrate', uri='file:' + lab.file('saved'))
    wait_for('saved', lambda:
             a.ok('query-migrate').get('status') == 'completed')


def test_migration_and_stop_wait_together(lab):
    conn, _, a, b = hooked(lab)
    dst = destination(lab)
    migrate(lab, a)
    asked(conn)
    b.send('stop')
    b.no_reply(0.2)
    conn.close()
    b.done('stop')
    assert a.event('STOP') is None
    d = dst.qmp('qmp2')
    wait_for('stopped', lambda: d.status() == 'paused')
    assert a.status() == 'postmigrate'


def test_no_deletion_while_migrating(lab):
    conn, _, a, _ = hooked(lab)
    destination(lab)
    a.ok('migrate-set-parameters', **{'max-bandwidth': 1000})
    migrate(lab, a)
    leave(conn)
    wait_for('start', lambda:
             a.ok('query-migrate').get('status') == 'active')
    assert 'in use' in a.error('object-del', id='v')
    a.ok('migrate_cancel')
    lab.hooked()


# Snapshots

def with_disk(lab, *args):
    """A session, and a node that takes snapshots."""
    path = lab.file('disk')
    subprocess.run([os.path.join(os.path.dirname(QEMU), 'qemu-img'), 'create',
                    '-q', '-f', 'qcow2', path, '1M'], check=True)
    return hooked(lab, '-drive', f'if=none,id=d,node-name=n,file={path}',
                  *args)


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
              '-loadvm', 's')
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


def named(prefix):
    return [f for name, f in globals().items() if name.startswith(prefix)]


if __name__ == '__main__':
    sys.exit(run_all([], named('test_') + [
        watchdog(line) for line in (
            'info registers', 'memsave 0 16 FILE', 'nmi',
            'dump-guest-memory FILE')]))
