// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the arguments of well-known system calls are, a letter each:
 *
 *	d	a number with a sign		f	the file of a directory
 *	u	a number without		o	rights, octal
 *	x	flags, an address		s	a text in memory
 *	b	bytes in memory, as many as the next argument says
 *	v	an array of texts
 */
#include <stdio.h>
#include <stdlib.h>

#include <seccomp.h>

#include "call.h"

static const struct {
	const char *name, *arguments;
} table[] = {
	{ "accept", "dxx" }, { "accept4", "dxxx" }, { "access", "so" },
	{ "acct", "s" }, { "add_key", "ssbud" }, { "alarm", "u" },
	{ "arch_prctl", "xx" }, { "bind", "dxu" }, { "bpf", "dxu" },
	{ "brk", "x" }, { "capget", "xx" }, { "capset", "xx" },
	{ "chdir", "s" }, { "chmod", "so" }, { "chown", "sdd" },
	{ "chroot", "s" }, { "clock_gettime", "dx" },
	{ "clock_nanosleep", "dxxx" }, { "clone", "xxxxx" },
	{ "clone3", "xu" }, { "close", "d" }, { "close_range", "uux" },
	{ "connect", "dxu" }, { "creat", "so" }, { "delete_module", "sx" },
	{ "dup", "d" }, { "dup2", "dd" }, { "dup3", "ddx" },
	{ "epoll_create1", "x" }, { "epoll_ctl", "dddx" },
	{ "epoll_pwait", "dxddx" }, { "epoll_wait", "dxdd" },
	{ "eventfd2", "ux" }, { "execve", "svx" }, { "execveat", "fsvxx" },
	{ "exit", "d" }, { "exit_group", "d" }, { "faccessat", "fso" },
	{ "faccessat2", "fsox" }, { "fallocate", "ddud" }, { "fchdir", "d" },
	{ "fchmod", "do" }, { "fchmodat", "fso" }, { "fchown", "ddd" },
	{ "fchownat", "fsddx" }, { "fcntl", "ddx" }, { "fdatasync", "d" },
	{ "finit_module", "dsx" }, { "flock", "dx" }, { "fork", "" },
	{ "fstat", "dx" }, { "fstatfs", "dx" }, { "fsync", "d" },
	{ "ftruncate", "du" }, { "futex", "xdxxxx" }, { "getcwd", "xu" },
	{ "getdents64", "dxu" }, { "getegid", "" }, { "geteuid", "" },
	{ "getgid", "" }, { "getpgid", "d" }, { "getpgrp", "" },
	{ "getpid", "" }, { "getppid", "" }, { "getrandom", "xux" },
	{ "getrlimit", "dx" }, { "getrusage", "dx" }, { "getsid", "d" },
	{ "getsockname", "dxx" }, { "getsockopt", "dddxx" },
	{ "gettid", "" }, { "gettimeofday", "xx" }, { "getuid", "" },
	{ "getxattr", "ssxu" }, { "init_module", "xus" },
	{ "inotify_add_watch", "dsx" }, { "io_uring_enter", "duuxx" },
	{ "io_uring_setup", "ux" }, { "ioctl", "dxx" }, { "kill", "dd" },
	{ "kexec_load", "xuxx" }, { "keyctl", "dxxxx" },
	{ "lchown", "sdd" }, { "link", "ss" }, { "linkat", "fsfsx" },
	{ "listen", "dd" }, { "lseek", "ddd" }, { "lstat", "sx" },
	{ "madvise", "xud" }, { "memfd_create", "sx" }, { "mkdir", "so" },
	{ "mkdirat", "fso" }, { "mknod", "sox" }, { "mknodat", "fsox" },
	{ "mmap", "xuxxdx" }, { "mount", "sssxx" }, { "move_mount", "fsfsx" },
	{ "mprotect", "xux" }, { "mremap", "xuuxx" }, { "munmap", "xu" },
	{ "nanosleep", "xx" }, { "newfstatat", "fsxx" }, { "open", "sxo" },
	{ "openat", "fsxo" }, { "openat2", "fsxu" }, { "pause", "" },
	{ "perf_event_open", "xdddx" }, { "pidfd_open", "dx" },
	{ "pipe", "x" }, { "pipe2", "xx" }, { "pivot_root", "ss" },
	{ "poll", "xud" }, { "ppoll", "xuxxu" }, { "prctl", "dxxxx" },
	{ "pread64", "dxuu" }, { "prlimit64", "ddxx" },
	{ "process_vm_readv", "dxuxux" }, { "process_vm_writev", "dxuxux" },
	{ "ptrace", "ddxx" }, { "pwrite64", "dbuu" }, { "read", "dxu" },
	{ "readlink", "sxu" }, { "readlinkat", "fsxu" },
	{ "readv", "dxu" }, { "reboot", "xxxx" }, { "recvfrom", "dxuxxx" },
	{ "recvmsg", "dxx" }, { "removexattr", "ss" }, { "rename", "ss" },
	{ "renameat", "fsfs" }, { "renameat2", "fsfsx" }, { "rmdir", "s" },
	{ "rseq", "xuxx" }, { "rt_sigaction", "dxxu" },
	{ "rt_sigprocmask", "dxxu" }, { "rt_sigreturn", "" },
	{ "sched_getaffinity", "dux" }, { "sched_setaffinity", "dux" },
	{ "sched_yield", "" }, { "seccomp", "uxx" },
	{ "select", "dxxxx" }, { "sendfile", "ddxu" },
	{ "sendmsg", "dxx" }, { "sendto", "dbuxxu" },
	{ "set_robust_list", "xu" }, { "set_tid_address", "x" },
	{ "setgid", "d" }, { "setgroups", "dx" }, { "sethostname", "bu" },
	{ "setns", "dx" }, { "setpgid", "dd" }, { "setresgid", "ddd" },
	{ "setresuid", "ddd" }, { "setsid", "" },
	{ "setsockopt", "dddxu" }, { "setuid", "d" },
	{ "setxattr", "ssxux" }, { "shutdown", "dd" },
	{ "sigaltstack", "xx" }, { "socket", "dxd" },
	{ "socketpair", "dxdx" }, { "splice", "dxdxux" }, { "stat", "sx" },
	{ "statfs", "sx" }, { "statx", "fsxxx" }, { "swapoff", "s" },
	{ "swapon", "sx" }, { "symlink", "ss" }, { "symlinkat", "sfs" },
	{ "sync", "" }, { "sysinfo", "x" }, { "tgkill", "ddd" },
	{ "time", "x" }, { "tkill", "dd" }, { "truncate", "su" },
	{ "umask", "o" }, { "umount2", "sx" }, { "uname", "x" },
	{ "unlink", "s" }, { "unlinkat", "fsx" }, { "unshare", "x" },
	{ "utimensat", "fsxx" }, { "vfork", "" }, { "wait4", "dxxx" },
	{ "waitid", "ddxxx" }, { "write", "dbu" }, { "writev", "dxu" },
};

const char *call_arguments(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			return table[i].arguments;
	return NULL;
}

const char *call_name(unsigned int number, char name[CALL_NAME])
{
	char *known;

	known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)number);
	if (known)
		snprintf(name, CALL_NAME, "%s", known);
	else
		snprintf(name, CALL_NAME, "syscall_%u", number);
	free(known);
	return name;
}
