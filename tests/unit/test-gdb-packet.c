// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of gdb's protocol, from a gdb and from somebody who is none. */
#include <fcntl.h>
#include <signal.h>

#include "../../tools/gdbserver/packet.h"
#include "rig.h"

struct pair {
	struct gdb_wire wire;
	int fds[2];		/* the other side, the wire's */
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int big = 1 << 20;

	if (!p || socketpair(AF_UNIX, SOCK_STREAM, 0, p->fds))
		return -1;
	setsockopt(p->fds[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	setsockopt(p->fds[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	fcntl(p->fds[0], F_SETFL, O_NONBLOCK);
	fcntl(p->fds[1], F_SETFL, O_NONBLOCK);
	wire_init(&p->wire, p->fds[1], p->fds[1]);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	close(p->fds[0]);
	close(p->fds[1]);
	free(p);
	return 0;
}

static void say_bytes(struct pair *p, const void *bytes, size_t size)
{
	assert_int_equal(write(p->fds[0], bytes, size), size);
	assert_int_equal(wire_read(&p->wire), 0);
}

static void say(struct pair *p, const char *text)
{
	say_bytes(p, text, strlen(text));
}

static void expect_heard(struct pair *p, const char *want)
{
	char got[256] = "";
	ssize_t n = read(p->fds[0], got, sizeof(got) - 1);

	if (!*want)
		assert_true(n < 0);
	else
		assert_string_equal(got, want);
}

static void a_packet_is_taken_and_acknowledged(void **state)
{
	struct pair *p = *state;

	say(p, "$qC#b4$?#3f");
	assert_int_equal(wire_take(&p->wire), 1);
	assert_string_equal(p->wire.packet, "qC");
	assert_int_equal(p->wire.packet_size, 2);
	expect_heard(p, "+");
	assert_int_equal(wire_take(&p->wire), 1);
	assert_string_equal(p->wire.packet, "?");
	assert_int_equal(wire_take(&p->wire), 0);
	expect_heard(p, "+");
}

static void a_packet_comes_in_pieces(void **state)
{
	static const char *const pieces[] = { "$", "q", "C", "#", "b" };
	struct pair *p = *state;
	size_t i;

	for (i = 0; i < 5; i++) {
		say(p, pieces[i]);
		assert_int_equal(wire_take(&p->wire), 0);
	}
	expect_heard(p, "");
	say(p, "4");
	assert_int_equal(wire_take(&p->wire), 1);
	assert_string_equal(p->wire.packet, "qC");
}

static void a_wrong_sum_is_refused(void **state)
{
	struct pair *p = *state;

	say(p, "$qC#b5$qC#zz$qC#b4");
	assert_int_equal(wire_take(&p->wire), 1);
	assert_string_equal(p->wire.packet, "qC");
	expect_heard(p, "--+");
}

static void without_acknowledgements_sums_do_not_count(void **state)
{
	struct pair *p = *state;

	p->wire.is_plain = true;
	say(p, "$qC#00");
	assert_int_equal(wire_take(&p->wire), 1);
	expect_heard(p, "");
}

static void escapes_are_taken_out(void **state)
{
	static const char packet[] = "$X0,2:}\x03}]*#";
	char whole[64];
	struct pair *p = *state;
	uint8_t sum = 0;
	size_t i;

	for (i = 1; packet[i] != '#'; i++)
		sum += (uint8_t)packet[i];
	snprintf(whole, sizeof(whole), "%s%02x", packet, sum);
	say(p, whole);
	assert_int_equal(wire_take(&p->wire), 1);
	assert_int_equal(p->wire.packet_size, 8);
	assert_memory_equal(p->wire.packet, "X0,2:#}*", 8);
}

static void zeros_are_part_of_a_packet(void **state)
{
	static const char packet[] = "$X0,1:\0#6e";
	struct pair *p = *state;

	p->wire.is_plain = true;
	say_bytes(p, packet, sizeof(packet) - 1);
	assert_int_equal(wire_take(&p->wire), 1);
	assert_int_equal(p->wire.packet_size, 6);
}

static void what_is_sent_is_escaped_and_summed(void **state)
{
	struct pair *p = *state;

	assert_int_equal(wire_say(&p->wire, "a#}"), 0);
	expect_heard(p, "$a}\003}]#bb");
	assert_int_equal(wire_say(&p->wire, ""), 0);
	expect_heard(p, "$#00");
}

static void what_was_not_understood_is_sent_again(void **state)
{
	struct pair *p = *state;

	say(p, "-");
	assert_int_equal(wire_take(&p->wire), 0);
	expect_heard(p, "");
	wire_say(&p->wire, "OK");
	expect_heard(p, "$OK#9a");
	say(p, "-+");
	assert_int_equal(wire_take(&p->wire), 0);
	expect_heard(p, "$OK#9a");
}

static void an_interrupt_comes_between_packets(void **state)
{
	struct pair *p = *state;

	say(p, "+\003");
	assert_int_equal(wire_take(&p->wire), 0);
	assert_true(p->wire.is_interrupted);
	/* In a packet it is a byte. */
	p->wire.is_interrupted = false;
	p->wire.is_plain = true;
	say(p, "$\003#03");
	assert_int_equal(wire_take(&p->wire), 1);
	assert_false(p->wire.is_interrupted);
}

static void a_packet_of_any_size_does_no_harm(void **state)
{
	struct pair *p = *state;
	static char big[2 * GDB_PACKET];
	int err = 0;
	size_t size;

	memset(big, 'a', sizeof(big));
	big[0] = '$';
	assert_int_equal(write(p->fds[0], big, sizeof(big)), sizeof(big));
	while (!err) {
		err = wire_read(&p->wire);
		if (!err)
			err = wire_take(&p->wire);
	}
	assert_int_equal(err, -EMSGSIZE);

	for (size = GDB_PACKET - 1; size <= GDB_PACKET + 1; size++) {
		wire_init(&p->wire, p->fds[1], p->fds[1]);
		p->wire.is_plain = true;
		while (read(p->fds[1], big, sizeof(big)) > 0)
			;
		memset(big, 'a', sizeof(big));
		big[0] = '$';
		memcpy(big + 1 + size, "#00", 3);
		assert_int_equal(write(p->fds[0], big, size + 4), size + 4);
		assert_int_equal(wire_read(&p->wire), 0);
		assert_int_equal(wire_take(&p->wire), size <= GDB_PACKET ? 1 :
				 -EMSGSIZE);
	}
	assert_int_equal(wire_send(&p->wire, big, GDB_PACKET + 1), -EMSGSIZE);
	memset(big, '}', sizeof(big));
	assert_int_equal(wire_send(&p->wire, big, GDB_PACKET), 0);
}

/* Whatever it is, it is taken or dropped, and never read beyond its end. */
static void noise_does_no_harm(void **state)
{
	static const char alphabet[] = "$#}*-+\003a0\xff";
	struct pair *p = *state;
	char bytes[512], trash[4096];
	int round, got;
	size_t i;

	srand(1);
	for (round = 0; round < 2000; round++) {
		wire_init(&p->wire, p->fds[1], p->fds[1]);
		p->wire.is_plain = round & 1;
		wire_say(&p->wire, "a");
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = alphabet[rand() % (sizeof(alphabet) - 1)];
		say_bytes(p, bytes, sizeof(bytes));
		while ((got = wire_take(&p->wire)) == 1)
			assert_true(p->wire.packet_size < sizeof(bytes));
		assert_int_equal(got, 0);
		while (read(p->fds[0], trash, sizeof(trash)) > 0)
			;
	}
}

static void numbers_and_digits(void **state)
{
	const char *text = "1fF,";
	uint8_t bytes[2];
	uint64_t number;
	char hex[5];

	(void)state;
	assert_int_equal(wire_number(&text, &number), 0);
	assert_int_equal(number, 0x1ff);
	assert_string_equal(text, ",");
	assert_int_equal(wire_number(&text, &number), -EINVAL);
	text = "ffffffffffffffff";
	assert_int_equal(wire_number(&text, &number), 0);
	assert_true(number == UINT64_MAX);
	text = "10000000000000000";
	assert_int_equal(wire_number(&text, &number), -EINVAL);

	assert_int_equal(wire_from_hex("0aF0", bytes, 2), 2);
	assert_int_equal(bytes[1], 0xf0);
	assert_int_equal(wire_from_hex("0aF001", bytes, 2), -EINVAL);
	assert_int_equal(wire_from_hex("0", bytes, 2), -EINVAL);
	assert_int_equal(wire_from_hex("0x", bytes, 2), -EINVAL);
	assert_int_equal(wire_from_hex("", bytes, 2), 0);
	wire_to_hex(bytes, 2, hex);
	assert_string_equal(hex, "0af0");
}

static void the_end_is_told(void **state)
{
	struct pair *p = *state;

	close(p->fds[0]);
	assert_int_equal(wire_read(&p->wire), -ECONNRESET);
	p->fds[0] = -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_is_taken_and_acknowledged),
		TEST(a_packet_comes_in_pieces),
		TEST(a_wrong_sum_is_refused),
		TEST(without_acknowledgements_sums_do_not_count),
		TEST(escapes_are_taken_out),
		TEST(zeros_are_part_of_a_packet),
		TEST(what_is_sent_is_escaped_and_summed),
		TEST(what_was_not_understood_is_sent_again),
		TEST(an_interrupt_comes_between_packets),
		TEST(a_packet_of_any_size_does_no_harm),
		TEST(noise_does_no_harm),
		TEST(numbers_and_digits),
		TEST(the_end_is_told),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
