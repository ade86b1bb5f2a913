// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions that end at any moment.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resources.h"
#include "rounds.h"
#include "test.h"

#define ROUNDS		200
#define SETTLED		20
#define VMM_LIFE_MS	40

static void round_here(const struct rounds *rounds, struct vmm *vm, int round)
{
	pthread_t thread;
	struct peer peer;

	if (rounds->prepare)
		rounds->prepare(vm, round);
	hook(vm, &peer);
	hook_allow_all(vm);
	expect(0, pthread_create(&thread, NULL, rounds->talk, &peer));
	sleep_ms(rand() % rounds->most_ms);
	/* The tool goes first, or the device manager does. */
	if (round % 2)
		shutdown(peer.fd, SHUT_RDWR);
	unhook(vm);
	shutdown(peer.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

static void child(const struct rounds *rounds, int fd, int round)
{
	struct vmm *vm = vmm_create(NULL);

	rounds->start(vm, round);
	expect(0, __hook_fd(vm, fd));
	hook_allow_all(vm);
	for (;;)
		pause();
}

/* The tool lives here, the VMM in a child that is killed. */
static void round_killed(const struct rounds *rounds, int round)
{
	struct peer peer;
	int fd = peer_open(&peer);
	pthread_t thread;
	int pid = must(fork());

	if (!pid) {
		peer_close(&peer);
		child(rounds, fd, round);
	}
	close(fd);
	expect(0, pthread_create(&thread, NULL, rounds->talk, &peer));
	sleep_ms(rand() % VMM_LIFE_MS);
	must(kill(pid, SIGKILL));
	expect(128 + SIGKILL, wait_child(pid));
	shutdown(peer.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

void rounds_run(const struct rounds *rounds)
{
	struct vmm *vm = vmm_create(NULL);
	struct resources settled;
	int i;

	hook_require(vm);
	srand(1);
	rounds->start(vm, 0);
	for (i = 1; i <= ROUNDS; i++) {
		if (i % 4 == 0)
			round_killed(rounds, i);
		else
			round_here(rounds, vm, i);
		if (i == SETTLED)
			resources_take(&settled, 0);
		if (i % 10 == 0)
			rounds->expect_alive(vm);
	}
	note("%d rounds done", ROUNDS);
	expect(0, resources_settle(&settled, 0));
	hook_expect_usable(vm);
	vmm_destroy(vm);
}
