#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Count how often a guest switches to each address space.

    process-switches.py SOCKET SECONDS

Every write of CR3 is an event; its vCPU waits until it is answered.
"""

import asyncio
import collections
import sys

import kvmi
import kvmi.aio


def watch(vm, enable):
    for vcpu in vm.vcpus():
        vcpu.control_cr(3, enable)
        vcpu.control_event(kvmi.EventKind.CR, enable)


async def count(session, counts):
    async for event in session.events():
        # At its end the guest goes on, whatever happens in it.
        with event:
            if event.kind == kvmi.EventKind.CR:
                counts[event.data.new_value & ~0xfff] += 1


async def main(path, seconds):
    counts = collections.Counter()
    with kvmi.Listener(path) as listener:
        vm = await asyncio.wait_for(kvmi.aio.accept(listener), 30)
    # When it is closed KVM takes back what was switched on.
    with vm:
        print(f"{vm.identity.name}: {vm.vcpu_count()} vCPUs")
        watch(vm, True)
        async with kvmi.aio.Session(vm) as session:
            try:
                await asyncio.wait_for(count(session, counts), seconds)
            except asyncio.TimeoutError:
                pass
    for cr3, number in counts.most_common():
        print(f"{cr3:#x} {number}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1], float(sys.argv[2])))
    except kvmi.KvmiError as error:
        sys.exit(str(error))
