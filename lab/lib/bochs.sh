# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Level 1 under Debian's Bochs, with VMX or with SVM, started from a CD that
# ISOLINUX reads.

need_bochs()
{
	local file

	for file in bochs-bin xorriso socat; do
		command -v "$file" >/dev/null ||
			die "$file is missing: run mk/install-packages lab lab-intel"
	done
}

# The CD with kernel and initrd; $1 is the kernel's command line.
make_cd()
{
	local tree=$RUN/cd bios=/usr/lib/syslinux/modules/bios

	rm -rf "$tree"
	mkdir -p "$tree/isolinux"
	ln "$RUN/initrd" "$tree/isolinux/initrd"
	cp /usr/lib/ISOLINUX/isolinux.bin "$bios/ldlinux.c32" "$tree/isolinux/"
	cp "$vmlinuz" "$tree/isolinux/vmlinuz"
	# No "serial" line: ISOLINUX waits for the port on Bochs.
	printf '%s\n' 'default lab' 'prompt 0' 'label lab' 'kernel vmlinuz' \
		'initrd initrd' "append $1" >"$tree/isolinux/isolinux.cfg"
	quietly xorriso -as mkisofs -quiet -o "$RUN/cd.iso" \
		-b isolinux/isolinux.bin -c isolinux/boot.cat \
		-no-emul-boot -boot-load-size 4 -boot-info-table "$tree"
	rm -rf "$tree"
}

# What is loaded into Bochs before it starts: lab/bochs/README.md.
additions()
{
	local source=$TOP/lab/bochs library=$LAB/bochs.so

	if [ ! -e "$library" ] || [ -n "$(find "$source" -newer "$library")" ]; then
		quietly "${CC:-gcc}" -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra \
			-shared -fPIC -o "$library" "$source"/*.c
	fi
	echo "$library"
}

# Bochs' command line into the array $machine; $1 kernel arguments.
#
# Its CPUID shows more cores in leaf 4 than in leaf 1, of which Linux warns,
# and APERF and MPERF without their registers: both are hidden from Linux, and
# so is MWAITX, whose timer never ends the wait. A reboot by triple fault ends
# Bochs, as nothing else does. LAB_APPEND has more kernel arguments.
describe_bochs()
{
	local model=broadwell_ult library quirks='' with=monitor-trap

	[ "$processor" = intel ] || model=ryzen with=decode-assists
	model=${LAB_CPU_MODEL:-$model}
	# Their XSAVE areas are smaller than their features need, and their CPUID
	# tells of a TSC that is faster than it is.
	case $model in
	corei7_skylake_x | corei7_icelake_u | tigerlake) quirks='noxsave tsc_early_khz=100000' ;;
	esac
	# Its XRSTOR faults, and it does not inject INT3 by the next RIP.
	[ "$model" != ryzen ] || quirks='noxsave kvm_amd.nrips=0'
	make_cd "console=ttyS0,115200 loglevel=5 log_buf_len=4M panic=-1 reboot=t,force oops=panic rcupdate.rcu_cpu_stall_timeout=60 clearcpuid=aperfmperf,ht,mwaitx mitigations=off nmi_watchdog=0 tsc=reliable lab.result=ttyS1 $quirks $1 ${LAB_APPEND-}"
	cat >"$RUN/bochsrc" <<-EOF
	plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, gameport=0, iodebug=0
	config_interface: textconfig
	display_library: rfb, options="timeout=0"
	memory: guest=1024, host=1024
	romimage: file=/usr/share/bochs/BIOS-bochs-latest
	vgaromimage: file=/usr/share/vgabios/vgabios.bin
	cpu: model=$model, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
	clock: sync=none, time0=utc
	ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
	ata0-master: type=cdrom, path="$RUN/cd.iso", status=inserted
	boot: cdrom
	com1: enabled=1, mode=term, dev="$RUN/console.tty"
	com2: enabled=1, mode=term, dev="$RUN/result.tty"
	log: "$LOGS/lab-bochs.log"
	panic: action=fatal
	error: action=report
	info: action=report
	debug: action=ignore
	EOF
	# Debian's Bochs waits for the words of its debugger.
	echo c >"$RUN/bochs.commands"
	library=$(additions) || exit 1
	machine=(env "LD_PRELOAD=$library"
		"LAB_BOCHS_WITH=$with ${LAB_BOCHS_WITH-}"
		bochs-bin -q -f "$RUN/bochsrc" -rc "$RUN/bochs.commands")
}

# Bochs' serial ports are terminals: what it writes to a file it keeps until
# 4096 bytes are there. Wait for the terminal $1.
await_terminal()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[ ! -e "$RUN/$1.tty" ] || return 0
		sleep 0.05
	done
	die "no terminal for Bochs' serial port"
}

# Carry what serial port $1 says to file $2 as long as Bochs lives.
carry_line()
{
	rm -f "$RUN/$1.tty"
	setpriv --pdeathsig KILL socat -u \
		"PTY,link=$RUN/$1.tty,rawer,wait-slave,crnl" "OPEN:$2,creat,trunc" \
		</dev/null 8>&- 9>&- &
	carriers+=($!)
	await_terminal "$1"
}

# Join serial port $1 with the terminal on descriptor 5.
join_line()
{
	local here=STDIO,ignoreeof

	[ ! -t 5 ] || here=STDIO,raw,echo=0
	rm -f "$RUN/$1.tty"
	setpriv --pdeathsig KILL \
		socat "PTY,link=$RUN/$1.tty,rawer,wait-slave" "$here" <&5 8>&- 9>&- &
	carriers+=($!)
	await_terminal "$1"
}

# Both ports of a level 1 that is about to start; $1 is what starts it.
connect_bochs()
{
	carry_line result "$RUN/result"
	case $1 in
	shell) join_line console ;;
	*) carry_line console "$CONSOLE_LOG" ;;
	esac
}
