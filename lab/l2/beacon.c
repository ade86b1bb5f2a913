// SPDX-License-Identifier: GPL-2.0-only
/*
 * The beacon: a program in the guest that prints a string from its memory
 * once a second, for whoever reads or changes that memory from outside.
 *
 * It tells where the string lies, virtually and physically, and ends three
 * lines after the string got the word "goodbye" in it, or after the seconds
 * given on the kernel command line as beacon.seconds=N. With beacon.spin=1 it
 * never sleeps, so that a vCPU has its page tables.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define LAST_LINES 3
#define PFN_MASK ((1ULL << 55) - 1)
#define PRESENT (1ULL << 63)

static char text[PAGE] __attribute__((aligned(PAGE)));

/* Where the page at @address lies in the guest's physical memory; 0: nowhere. */
static uint64_t physical(const void *address)
{
	off_t at = (uintptr_t)address / PAGE * sizeof(uint64_t);
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry & PRESENT ? (entry & PFN_MASK) * PAGE : 0;
}

/* The N of @name=N on the kernel command line; 0 when it is not there. */
static long option(const char *name)
{
	static char line[PAGE];
	FILE *f = fopen("/proc/cmdline", "r");
	char *at;

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	at = strstr(line, name);
	if (!at || at[strlen(name)] != '=')
		return 0;
	return strtol(at + strlen(name) + 1, NULL, 0);
}

static void spin(void)
{
	time_t now = time(NULL);

	while (time(NULL) == now)
		;
}

int main(void)
{
	long seconds = option("beacon.seconds");
	long spins = option("beacon.spin");
	int goodbyes = 0;
	/* The other side writes behind the compiler's back. */
	volatile char *end = text + PAGE - 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	strcpy(text, "all is well in the guest");
	if (mlock(text, PAGE))
		perror("beacon: mlock");
	printf("beacon: at gva 0x%lx gpa 0x%llx\n", (unsigned long)text,
	       (unsigned long long)physical(text));

	for (long n = 1; !seconds || n <= seconds; n++) {
		__asm__ volatile("" ::: "memory");
		*end = '\0';
		printf("beacon: %s %ld\n", text, n);
		if (strstr(text, "goodbye") && ++goodbyes > LAST_LINES)
			return 0;
		if (spins)
			spin();
		else
			sleep(1);
	}
	return 0;
}
