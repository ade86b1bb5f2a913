# SPDX-License-Identifier: LGPL-2.1-or-later
"""vCPUs of a VM."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, Optional

from ._native import ffi, lib
from ._table import Cpuid, EventKind, Registers, SystemRegisters

XSAVE_SIZE = 4096


@dataclass(frozen=True)
class VcpuState:
    """The registers of a vCPU at one moment."""

    mode: int
    """Bytes of an address: 2, 4 or 8."""
    regs: Registers
    sregs: SystemRegisters
    msrs: Dict[int, int]
    """Those that were asked for."""


class Vcpu:
    """A vCPU, by its index: vm.vcpu(0).

    It answers where it is: in the guest, halted, or waiting for the reply to
    its event. Several threads can ask several vCPUs at once.
    """

    def __init__(self, vm: Any, index: int) -> None:
        self._vm = vm
        self.index = index

    def __repr__(self) -> str:
        return f"<vCPU {self.index}>"

    def _call(self, function: Any, *args: Any) -> None:
        self._vm.check(function(self._vm.native, self.index, *args))

    def tsc_speed(self) -> int:
        """Return the speed of the TSC in Hz, 0 if unknown."""
        out = ffi.new("struct kvmi_vcpu_get_info_reply *")
        self._call(lib.kvmi_vcpu_get_info, out)
        return int(out.tsc_speed)

    def registers(self, msrs: Iterable[int] = ()) -> VcpuState:
        """Read the registers, and the MSRs of these numbers."""
        wanted = list(msrs)
        values = ffi.new("uint64_t[]", len(wanted))
        # It ends in an array of MSRs, which the library keeps to itself.
        out = ffi.new("struct kvmi_vcpu_get_registers_reply *")
        self._call(lib.kvmi_vcpu_get_registers, wanted, len(wanted), out,
                   values)
        return VcpuState(int(out.mode), Registers.from_native(out.regs),
                         SystemRegisters.from_native(out.sregs),
                         dict(zip(wanted, values)))

    def set_registers(self, regs: Registers) -> None:
        """Set the registers of a vCPU that waits for the reply to its event."""
        self._call(lib.kvmi_vcpu_set_registers,
                   ffi.new("struct kvm_regs *", regs.to_dict()))

    def cpuid(self, function: int, index: int = 0) -> Cpuid:
        """Ask for a CPUID leaf as the guest sees it."""
        out = ffi.new("struct kvmi_vcpu_get_cpuid_reply *")
        self._call(lib.kvmi_vcpu_get_cpuid, function, index, out)
        return Cpuid.from_native(out)

    def control_event(self, event: EventKind, enable: bool = True) -> None:
        """Switch an event on or off."""
        self._call(lib.kvmi_vcpu_control_events, event, enable)

    def control_cr(self, register: int, enable: bool = True) -> None:
        """Tell whether writes of control register 0, 3 or 4 are events."""
        self._call(lib.kvmi_vcpu_control_cr, register, enable)

    def control_msr(self, msr: int, enable: bool = True) -> None:
        """Tell whether writes of an MSR are events."""
        self._call(lib.kvmi_vcpu_control_msr, msr, enable)

    def control_singlestep(self, enable: bool = True) -> None:
        """Tell whether each instruction is an event."""
        self._call(lib.kvmi_vcpu_control_singlestep, enable)

    def translate(self, gva: int) -> Optional[int]:
        """Translate a virtual address; None if it is not mapped."""
        out = ffi.new("uint64_t *")
        self._call(lib.kvmi_vcpu_translate_gva, gva, out)
        return None if out[0] == 2**64 - 1 else int(out[0])

    def pause(self, wait: bool = True) -> None:
        """Have it leave the guest and report EventKind.PAUSE."""
        self._vm.check(lib.kvmi_vm_pause_vcpu(self._vm.native, self.index,
                                              wait))

    def inject_exception(self, vector: int, error_code: int = 0,
                         address: int = 0) -> None:
        """Ask for an exception; EventKind.TRAP tells what the guest gets."""
        self._call(lib.kvmi_vcpu_inject_exception, vector, error_code, address)

    def xcr(self, register: int = 0) -> int:
        """Read an extended control register."""
        out = ffi.new("uint64_t *")
        self._call(lib.kvmi_vcpu_get_xcr, register, out)
        return int(out[0])

    def xsave(self) -> bytes:
        """Read the x87, vector and other state, as XSAVE writes it."""
        out = ffi.new("struct kvmi_vcpu_get_xsave_reply *")
        self._call(lib.kvmi_vcpu_get_xsave, out)
        return bytes(ffi.buffer(out))

    def set_xsave(self, area: bytes) -> None:
        """Set the state that xsave() gave."""
        if len(area) != XSAVE_SIZE:
            raise ValueError(f"an area has {XSAVE_SIZE} bytes")
        native = ffi.new("struct kvmi_vcpu_set_xsave *")
        ffi.memmove(native, area, XSAVE_SIZE)
        self._call(lib.kvmi_vcpu_set_xsave, native)

    def mtrr_type(self, gpa: int) -> int:
        """Return the memory type that the MTRRs give to an address."""
        out = ffi.new("uint8_t *")
        self._call(lib.kvmi_vcpu_get_mtrr_type, gpa, out)
        return int(out[0])
