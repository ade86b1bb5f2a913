#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrations: the source is the "lab" itself, the destination another one."""

import sys
import time

from rig import named, run_all, scenario, soon, wait_for, Skip
from session import hooked, start_time
from wire import asked, at_end, leave


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
    destination(lab)
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


if __name__ == '__main__':
    sys.exit(run_all([], named(globals(), 'test_')))
