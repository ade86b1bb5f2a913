# SPDX-License-Identifier: GPL-2.0-or-later
"""A VM with a session."""

import struct


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
