#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The story of 'make demo', told from inside level 1. A line that begins with
# "== " opens a step, "-- " shows what was seen, ".. " is progress; the host
# side gives them their looks. Each step is checked against what the guest
# prints on its own console, not against what we wish.
# lab: own timeout=400

CONSOLE=/tmp/guest.console
KEYS=/tmp/guest.keys
LOG=/tmp/qemu.log
TRACE=/tmp/trace
GUARD=/tmp/guard
OWN=/tmp/own
SOCKET=/tmp/kvmi.sock
# The bits of CR3 that say which process: no PCID, no flag, and not the bit
# that tells the two halves of a process where page tables are isolated.
SPACE=0xfffffffffe000
GETPPID=0x6e
NAME=demo-guest
UUID=5f1c0a52-3b0e-4c4e-9d5a-8a2f6d1b7c33
OLD='all is well in the guest'
NEW='someone else wrote this line'
END='goodbye, says the other side'
# Limits are seconds here, where a second holds less work on some emulators.
PATIENCE=${LAB_PATIENCE:-1}

step()
{
	step=$1
	echo "== $1"
}

see()
{
	echo "-- $1"
}

fail()
{
	exec >&4	# a caller's output may go elsewhere
	echo "!! $step: $1"
	for file in "$CONSOLE" "$LOG" /tmp/kvmi.err "$TRACE" "$GUARD"; do
		[ -s "$file" ] || continue
		echo "   last lines of ${file##*/}:"
		tail -n 8 "$file" | sed 's/^/   /'
	done
	# The trace first: it takes its breakpoint back.
	for pid in $tracer $guard; do
		{ kill "$pid" && wait "$pid"; } 2>/dev/null
	done
	kill "$guest" 2>/dev/null
	exit 1
}

# wait_for SECONDS PATTERN: until the guest's console shows it.
wait_for()
{
	left=$(($1 * PATIENCE))
	until grep -q -- "$2" "$CONSOLE"; do
		kill -0 "$guest" 2>/dev/null || fail "the guest ended too early"
		[ "$left" -gt 0 ] || fail "the guest's console never showed: $2"
		left=$((left - 1))
		echo ".. waiting for the guest, $left s left"
		sleep 1
	done
}

# One command of the tool; it listens, QEMU calls, the guest is let go after.
kvmi_run()
{
	verb=$1
	shift
	timeout $((60 * PATIENCE)) kvmi "$verb" -s "$SOCKET" "$@" 2>/tmp/kvmi.err ||
		fail "kvmi $verb failed: $(head -n 1 /tmp/kvmi.err)"
}

# What the guest told of its chores; not a line that is still being written.
answers()
{
	sed -n 's/^chores: \(.*\)\r$/\1/p' "$CONSOLE"
}

# tell WORD: type it at the guest's console, and wait for its $answer.
tell()
{
	before=$(answers | wc -l)
	echo "$1" >&3
	left=$((60 * PATIENCE))
	while [ "$(answers | wc -l)" -le "$before" ]; do
		kill -0 "$guest" 2>/dev/null || fail "the guest ended too early"
		[ "$left" -gt 0 ] || fail "the guest did not answer: $1"
		left=$((left - 1))
		sleep 0.5
	done
	answer=$(answers | tail -n 1)
}

# run WORDS...: have the guest's shell do it; what that prints is in $OWN.
run()
{
	mark=$(wc -c <"$CONSOLE")
	tell "run $*"
	tail -c +$((mark + 1)) "$CONSOLE" | sed -n 's/^run: \(.*\)\r*$/\1/p' |
		tr -d '\r' >"$OWN"
	[ "$answer" = "exit 0" ] || fail "the guest's shell failed: $*"
}

# Trace while the guest does what is typed: WORD WHAT... The events are a line
# each in $TRACE.
trace_while()
{
	word=$1
	shift
	kvmi trace -s "$SOCKET" --json --verbose --seconds $((60 * PATIENCE)) "$@" \
		>"$TRACE" 2>/tmp/kvmi.err &
	tracer=$!
	until grep -q watching /tmp/kvmi.err; do
		kill -0 "$tracer" 2>/dev/null || fail "the trace did not begin"
		sleep 0.1
	done
	tell "$word"
	kill "$tracer" 2>/dev/null || fail "the trace ended too early"
	wait "$tracer" || fail "the trace ended badly"
	tracer=
}

# Register NAME of vCPU N out of the table of kvmi regs, a column for each vCPU.
register()
{
	awk -v column=$(($2 + 2)) -v name="$1" '$1 == name { print $column }' \
		/tmp/regs
}

# The address spaces that vCPUs were switched to, a line for each switch.
switches()
{
	sed -n 's/.*"old":"\(.*\)","new":"\(.*\)".*/\1 \2/p' "$TRACE" |
	while read -r old new; do
		old=$((old & SPACE)) new=$((new & SPACE))
		[ "$old" = "$new" ] || printf '0x%x\n' "$new"
	done
}

# The system calls of the trace, a line for each: address space, number.
calls()
{
	sed -n 's/.*"cr3":"\(.*\)","rax":"\(.*\)".*/\1 \2/p' "$TRACE" |
	while read -r cr3 rax; do
		printf '0x%x %s\n' $((cr3 & SPACE)) "$rax"
	done
}

# How often each line comes, the most frequent first.
tally()
{
	sort | uniq -c | sort -rn
}

beats()
{
	grep -c '^beacon: .* [0-9]' "$CONSOLE"
}

# Protect the guest's kernel; a line in $GUARD for each who tries.
guard_begin()
{
	kvmi protect -s "$SOCKET" --mode deny >"$GUARD" 2>/tmp/kvmi.err &
	guard=$!
	left=$((60 * PATIENCE))
	until grep -q 'pages are locked' /tmp/kvmi.err; do
		kill -0 "$guard" 2>/dev/null || fail "the guard did not begin"
		[ "$left" -gt 0 ] || fail "the guard locked nothing"
		left=$((left - 1))
		echo ".. waiting for the guard, $left s left"
		sleep 1
	done
}

guard_end()
{
	kill "$guard" 2>/dev/null || fail "the guard ended too early"
	wait "$guard" || fail "the guard ended badly"
	guard=
}

# denied WHAT: fail unless that was tried by the module, and refused.
denied()
{
	line=$(grep -F " denied " "$GUARD" | grep -F -- "$1" | head -n 1)
	[ -n "$line" ] || fail "nobody was refused at $1"
	case $line in
	*'[attack]'*'in insmod ('*) ;;
	*) fail "it is not told that the module was at $1: $line" ;;
	esac
	see "the tool refused: $(echo "$line" | sed 's/^ *[^ ]* *\([^ ]*\) *denied *[^ ]* */vCPU \1, /')"
}

guest='' tracer='' guard=''
exec 4>&1
step "A host: Debian's own kernel, KVM replaced by our modules"
grep -q . /sys/module/kvm/parameters/introspection 2>/dev/null ||
	fail "kvm.ko has no parameter 'introspection': not our module"
see "Linux $(uname -r), ${LAB_VENDOR-}, kvm.introspection=$(cat /sys/module/kvm/parameters/introspection)"
[ -c /dev/kvm ] || fail "no /dev/kvm"

step "A guest: stock Debian kernel, two vCPUs, nothing of ours inside"
mkfifo "$KEYS"
exec 3<>"$KEYS"
/lab/guest -name "$NAME" -uuid "$UUID" \
	-chardev "socket,id=door,path=$SOCKET,reconnect-ms=200" \
	-object introspection,id=eye,chardev=door \
	>"$CONSOLE" 2>"$LOG" <"$KEYS" &
guest=$!
wait_for 90 '^guest: Linux'
see "$(sed -n 's/^guest: //p' "$CONSOLE" | head -n 1 | tr -d '\r')"
wait_for 30 "^beacon: $OLD 2"
see "a program in it prints: $(sed -n 's/^beacon: \(.* [0-9]*\)\r*$/\1/p' "$CONSOLE" | tail -n 1)"

step "The tool accepts the guest and learns who it is"
kvmi_run info >/tmp/info
# What follows the empty line are the tables of what is allowed.
sed '/^$/,$d; s/^/-- /' /tmp/info
grep -q "$NAME" /tmp/info || fail "the name $NAME is not in its answer"
grep -qi "$UUID" /tmp/info || fail "the UUID $UUID is not in its answer"

step "It finds the kernel's version in the guest's memory"
release=$(sed -n 's/^guest: Linux \([^ ]*\) .*/\1/p' "$CONSOLE" | head -n 1)
kvmi_run search --first "Linux version $release " >/tmp/search
gpa=$(grep -oE '0x[0-9a-f]+' /tmp/search | head -n 1)
[ -n "$gpa" ] || fail "the banner was not found"
kvmi_run read --raw "$gpa" 120 | tr -d '\0' | head -n 1 >/tmp/banner
see "at $gpa: $(cut -c1-60 /tmp/banner)"
grep -q "Linux version $release " /tmp/banner ||
	fail "memory does not say what the guest's uname says: $release"
see "the guest's own uname agrees: $release"

step "It changes the string behind the program's back"
gpa=$(sed -n 's/^beacon: at .* gpa \(0x[0-9a-f]*\).*/\1/p' "$CONSOLE")
[ -n "$gpa" ] || fail "the program did not tell its address"
[ ${#NEW} -gt ${#OLD} ] || fail "the new string would not cover the old one"
kvmi_run write --string "$NEW" "$gpa" >/tmp/write
see "$(cat /tmp/write)"
wait_for 20 "^beacon: $NEW"
see "the program now prints: $(sed -n 's/^beacon: \(.* [0-9]*\)\r*$/\1/p' "$CONSOLE" | tail -n 1)"

step "It reads the registers of both vCPUs"
tell entry
entry=$(echo "$answer" | grep -oE '0x[0-9a-f]{16}')
end=$(sed -n 's/^Memory end: *\(0x[0-9a-f]*\).*/\1/p' /tmp/info)
kvmi_run regs --msr lstar >/tmp/regs
sed 's/^/-- /' /tmp/regs
for vcpu in 0 1; do
	case $(register rip $vcpu) in
	ffffffff[89ab]* | 00000[0-9a-f]* | 00007[0-9a-f]*) ;;
	*) fail "vCPU $vcpu runs where Linux has no code" ;;
	esac
	cr3=$((0x$(register cr3 $vcpu) & SPACE))
	[ "$cr3" -gt 0 ] || fail "CR3 of vCPU $vcpu is 0"
	[ "$cr3" -lt $((end)) ] ||
		fail "CR3 of vCPU $vcpu is not in its memory"
	[ "0x$(register lstar $vcpu)" = "$entry" ] ||
		fail "LSTAR of vCPU $vcpu is not the entry $entry"
	kvmi_run translate --vcpu $vcpu "$entry" >/tmp/gpa.$vcpu
done
cmp -s /tmp/gpa.0 /tmp/gpa.1 || fail "both CR3 do not lead to one entry"
gpa=$(sed -n '$s/.* //p' /tmp/gpa.0)
see "LSTAR is where the guest's own kernel has its system-call entry"
see "the page tables of both CR3 lead from there to $gpa"

step "It lists the guest's processes, without asking the guest"
kvmi_run ps >/tmp/ps
run ps -o pid,comm
grep -vF '[' /tmp/ps | sed 's/^/-- /'
# What began or ended between the two may differ.
awk 'NR > 1 { print $1 }' /tmp/ps >/tmp/ps.pids
awk 'NR > 1 { print $1 }' "$OWN" >/tmp/own.pids
both=$(grep -cxFf /tmp/ps.pids /tmp/own.pids)
own=$(wc -l </tmp/own.pids)
see "and threads of the kernel: $(wc -l </tmp/ps.pids) in all; of the $own that the guest's own ps lists, $both"
[ "$both" -gt 20 ] || fail "the guest lists other processes"
[ $((own - both)) -le 4 ] || fail "the guest lists more processes"
! grep hidden /tmp/ps || fail "something is called hidden"

step "It watches one second of process switches"
trace_while play cr3
see "the guest says: $answer"
rounds=${answer%% *}
most=$(echo "$answer" | sed 's/.*, \([0-9]*\) switches.*/\1/')
switches | tally >/tmp/switches
see "the tool saw $(switches | wc -l) switches to $(wc -l </tmp/switches) address spaces"
sed -n '1,2s/^ *\([0-9]*\) \(.*\)/-- \1 of them to CR3 \2/p' /tmp/switches
one=$(awk 'NR == 1 { print $1 }' /tmp/switches)
two=$(awk 'NR == 2 { print $1 }' /tmp/switches)
# On one vCPU each round needs a switch to each of the two. The guest's kernel
# counts the switches away from them, perhaps without the last of each.
[ "$rounds" -gt 0 ] || fail "the guest did not play"
[ "${two:-0}" -ge "$rounds" ] || fail "$rounds rounds need as many switches to each"
[ $((one + two)) -le $((most + 2)) ] ||
	fail "the two were switched to $((one + two)) times, the guest says $most"
see "$rounds rounds need $((2 * rounds)), its kernel counted $most: $((one + two)) fit"

step "It sets a breakpoint on the system-call entry"
kvmi_run read --hex "$gpa" 16 >/tmp/code
see "at $entry: $(cut -c19-42 /tmp/code)"
cut -c19-30 /tmp/code | grep -q 'f3 0f 1e fa' ||
	fail "the entry does not begin with ENDBR64"
see "ENDBR64: the tool steps over it by setting RIP"
trace_while call breakpoint "$entry"
see "the guest says: $answer"
calls >/tmp/calls
see "the tool saw $(wc -l </tmp/calls) system calls of $(cut -d' ' -f1 /tmp/calls | sort -u | wc -l) processes"
cr3=$(sed -n "s/ $GETPPID\$//p" /tmp/calls | sort -u)
case $cr3 in
0x*[!0-9a-fx]*) fail "more than one process called getppid" ;;
0x*) ;;
*) fail "nobody called getppid" ;;
esac
hits=$(grep -c "^$cr3 $GETPPID\$" /tmp/calls)
all=$(grep -c "^$cr3 " /tmp/calls)
[ "$hits" = "${answer%% *}" ] || fail "$hits calls of getppid seen"
[ "$all" = $((hits + 1)) ] || fail "that process made $all calls, not $hits and an exit"
see "$hits of getppid and $((all - hits)) other by CR3 $cr3: not one more or less"
kvmi_run read --hex "$gpa" 16 | cmp -s - /tmp/code ||
	fail "the entry is not what it was: the breakpoint stays in it"
see "the breakpoint is gone, the bytes are what they were"

step "A module in the guest patches its kernel, through a mapping of its own"
tell kernel
kernel=$answer
table=$(echo "$kernel" | sed 's/.* table \(.*\)-.*/\1/')
tell patch
see "the guest says: $answer"
[ "$answer" = "its module has changed 2 of 2 places; getppid() says 4711" ] ||
	fail "the module did not patch the unguarded kernel"
tell mend
see "the guest says: $answer"
[ "$answer" = "the module is gone; getppid() says 1" ] ||
	fail "the module did not put back what it had patched"

step "A rootkit hides a process, and itself"
run 'sleep 1000 >/dev/null 2>&1 & echo $!'
pid=$(cat "$OWN")
run insmod /lib/modules/hide.ko pid="$pid" self=1
run ps -o pid,comm
! grep -q "^ *$pid " "$OWN" || fail "the guest's own ps still lists $pid"
run cat /proc/modules
! grep -q '^hide ' "$OWN" || fail "the guest still lists the module"
see "in the guest neither ps shows process $pid, nor lsmod the module"
kvmi_run ps >/tmp/ps
line=$(grep "^ *$pid " /tmp/ps) || fail "kvmi ps does not show it either"
see "kvmi ps: $(echo "$line" | tr -s ' ')"
case $line in
*sleep*hidden*) ;;
*) fail "it is not marked" ;;
esac
[ "$(grep -c hidden: /tmp/ps)" = 1 ] || fail "others are marked, too"
kvmi_run modules >/tmp/modules
line=$(grep "^hide " /tmp/modules) || fail "kvmi modules does not show it"
see "kvmi modules: $(echo "$line" | tr -s ' ')"
case $line in
*hidden*) ;;
*) fail "the module is not marked" ;;
esac
run 'echo 0 >/sys/module/hide/parameters/self; rmmod hide; kill '"$pid"

step "The tool protects the kernel, and a module attacks it"
run "grep ' __x64_sys_getppid\$' /proc/kallsyms"
function=0x$(cut -d' ' -f1 "$OWN")
function=$(printf '0x%x' $((function + 16)))
table=$(printf '0x%x' $((table + GETPPID * 8)))
guard_begin
see "$(sed 's/^kvmi: //' /tmp/kvmi.err | tail -n 1)"
before=$(beats)
run insmod /lib/modules/attack.ko text="$function" entry="$table"
run cat /sys/module/attack/parameters/changed
see "the guest says: the module has changed $(sed 's/^0$/nothing/' "$OWN")"
[ "$(cat "$OWN")" = 0 ] || fail "the module got through"
run rmmod attack
denied sys_call_table+0x370
denied cr0.wp
denied lstar
left=$((20 * PATIENCE))
until [ "$(beats)" -gt $((before + 1)) ]; do
	[ "$left" -gt 0 ] || fail "the program does not go on"
	left=$((left - 1))
	sleep 0.5
done
see "the program goes on: $(sed -n 's/^beacon: \(.* [0-9]*\)\r*$/\1/p' "$CONSOLE" | tail -n 1)"
guard_end

step "It says goodbye, is gone; the guest goes on and powers off by itself"
gpa=$(sed -n 's/^beacon: at .* gpa \(0x[0-9a-f]*\).*/\1/p' "$CONSOLE")
kvmi_run write --string "$END" "$gpa" >/tmp/write
before=$(beats)
wait_for 30 '^guest: powering off'
after=$(beats)
[ "$after" -gt "$before" ] || fail "not one line after the tool had left"
see "$((after - before)) more lines, then: $(grep '^guest: powering' "$CONSOLE" | tr -d '\r')"
left=$((20 * PATIENCE))
while kill -0 "$guest" 2>/dev/null; do
	[ "$left" -gt 0 ] || fail "QEMU does not end"
	left=$((left - 1))
	sleep 1
done
wait "$guest" || fail "QEMU ended with code $?"
see "QEMU ended with code 0"
