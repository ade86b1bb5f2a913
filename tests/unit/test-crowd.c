// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands and events of several vCPUs and threads at once. */
#include "rig.h"

/* An event between a command and its answer, which waits for the reply. */
static int event_first(int fd, void *arg)
{
	const struct kvmi_vcpu_get_info_reply info = { 1 };
	struct frame command, reply;

	(void)arg;
	if (script_command(fd, &command) ||
	    script_vcpu_event(fd, 1, 0, KVMI_VCPU_EVENT_PAUSE, NULL, 0) ||
	    script_command(fd, &reply))
		return -EPIPE;
	if (reply.hdr.id != KVMI_VCPU_EVENT)
		return -EBADMSG;
	return script_reply(fd, &command, 0, &info, sizeof(info));
}

static void *ask(void *arg)
{
	struct kvmi_vcpu_get_info_reply reply;
	struct rig *rig = arg;

	return kvmi_vcpu_get_info(rig->vm, 0, &reply) ? arg : NULL;
}

static void event_while_a_command_waits(void **state)
{
	struct kvmi_event *event;
	pthread_t thread;
	struct rig rig;
	void *failed;

	(void)state;
	rig_open(&rig, event_first, NULL);
	assert_err(0, pthread_create(&thread, NULL, ask, &rig));
	assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(0, kvmi_event_reply(rig.vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
	pthread_join(thread, &failed);
	assert_null(failed);
	rig_close(&rig);
}

#define VCPUS	4
#define THREADS	8
#define ROUNDS	200

/*
 * Four vCPUs that report an event each. One that got its reply answers the
 * commands that it was asked meanwhile, newest first, and reports the next.
 */
struct crowd {
	uint32_t seq[VCPUS];	/* of the event that waits */
	unsigned int rounds[VCPUS];
	uint32_t next_seq;
	struct frame held[VCPUS];
	unsigned int held_count;
};

static int crowd_report(int fd, struct crowd *crowd, uint16_t vcpu)
{
	crowd->seq[vcpu] = ++crowd->next_seq;
	return script_vcpu_event(fd, crowd->seq[vcpu], vcpu,
				 KVMI_VCPU_EVENT_PAUSE, NULL, 0);
}

static int crowd_answer(int fd, struct crowd *crowd)
{
	struct kvmi_vcpu_get_info_reply info;
	struct frame *frame;

	while (crowd->held_count) {
		frame = &crowd->held[--crowd->held_count];
		info.tsc_speed = 1000 + frame->body[0];
		if (script_reply(fd, frame, 0, &info, sizeof(info)))
			return -EPIPE;
	}
	return 0;
}

static int crowd_take_reply(int fd, struct crowd *crowd,
			    const struct frame *frame)
{
	uint16_t vcpu = frame->body[0];

	if (frame->hdr.seq != crowd->seq[vcpu] || frame->hdr.size != 16)
		return -EILSEQ;
	if (crowd_answer(fd, crowd))
		return -EPIPE;
	if (++crowd->rounds[vcpu] == ROUNDS)
		return 0;
	return crowd_report(fd, crowd, vcpu);
}

static unsigned int crowd_waiting(const struct crowd *crowd)
{
	unsigned int i, n = 0;

	for (i = 0; i < VCPUS; i++)
		n += crowd->rounds[i] != ROUNDS;
	return n;
}

static int be_crowd(int fd, void *arg)
{
	struct crowd *crowd = arg;
	struct frame frame;
	int err = 0;
	uint16_t i;

	for (i = 0; i < VCPUS && !err; i++)
		err = crowd_report(fd, crowd, i);
	while (!err && crowd_waiting(crowd)) {
		if (script_command(fd, &frame))
			return -EPIPE;
		if (frame.hdr.id == KVMI_VCPU_EVENT)
			err = crowd_take_reply(fd, crowd, &frame);
		else
			crowd->held[crowd->held_count++] = frame;
		/* At least one thread must go on to reply. */
		if (!err && crowd->held_count >= crowd_waiting(crowd))
			err = crowd_answer(fd, crowd);
	}
	return err ? err : crowd_answer(fd, crowd);
}

/* Takes an event, asks its vCPU and another one, replies, until the end. */
static void *reply_to_all(void *arg)
{
	struct kvmi_vcpu_get_info_reply info;
	struct kvmi_event *event;
	struct rig *rig = arg;
	unsigned int vcpu, asked;
	int err;

	for (;;) {
		err = kvmi_vm_next_event(rig->vm, -1, &event);
		if (err)
			return err == -ECONNRESET ? NULL : arg;
		vcpu = (unsigned int)kvmi_event_get_vcpu(event);
		asked = (vcpu + kvmi_event_get_seq(event)) % VCPUS;
		if (kvmi_event_get_seq(event) % 3 == 0) {
			err = kvmi_vcpu_get_info(rig->vm, asked, &info);
			if (err || info.tsc_speed != 1000 + asked)
				return arg;
		}
		err = kvmi_event_reply(rig->vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
		kvmi_event_free(event);
		if (err)
			return arg;
	}
}

static void four_vcpus_and_eight_threads(void **state)
{
	static struct crowd crowd;
	pthread_t threads[THREADS];
	struct rig rig;
	void *failed;
	int i;

	(void)state;
	rig_open(&rig, be_crowd, &crowd);
	for (i = 0; i < THREADS; i++)
		assert_err(0, pthread_create(&threads[i], NULL, reply_to_all,
					     &rig));
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	for (i = 0; i < VCPUS; i++)
		assert_int_equal(crowd.rounds[i], ROUNDS);
	rig_close(&rig);
}

/* Replies to the newest first; the peer must get each as it was sent. */
static int report_four(int fd, void *arg)
{
	struct frame frame;
	uint16_t i;

	(void)arg;
	for (i = 0; i < VCPUS; i++)
		if (script_vcpu_event(fd, i + 1, i, KVMI_VCPU_EVENT_PAUSE, NULL,
				      0))
			return -EPIPE;
	for (i = VCPUS; i--;)
		if (script_command(fd, &frame) ||
		    frame.hdr.id != KVMI_VCPU_EVENT ||
		    frame.hdr.seq != i + 1u || frame.body[0] != i)
			return -EILSEQ;
	return 0;
}

static void replies_out_of_order(void **state)
{
	struct kvmi_event *events[VCPUS];
	struct rig rig;
	int i;

	(void)state;
	rig_open(&rig, report_four, NULL);
	for (i = 0; i < VCPUS; i++)
		assert_err(0, kvmi_vm_next_event(rig.vm, 5000, &events[i]));
	for (i = VCPUS; i--;) {
		assert_err(0, kvmi_event_reply(rig.vm, events[i],
					       KVMI_EVENT_ACTION_CONTINUE, NULL,
					       0));
		kvmi_event_free(events[i]);
	}
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_while_a_command_waits),
		cmocka_unit_test(four_vcpus_and_eight_threads),
		cmocka_unit_test(replies_out_of_order),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
