// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says that this host has of KVMI_FEATURES is what a tool and a
 * device manager get, feature by feature, and what "kvmi doctor" shows.
 *
 * lab: short
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <json-c/json.h>
#include <kvmi/features.h>

#include "../lib/command.h"
#include "../lib/event.h"
#include "../lib/hook.h"
#include "../lib/test.h"

#define FEATURES_FILE	"/sys/module/kvm/parameters/introspection_features"
#define PAGE		0x50000ull
#define VECTOR		3
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X

/* What the file says. */
static struct {
#define FIELD(name, meaning, amd, intel, without) bool name;
	KVMI_FEATURES(FIELD)
} host;

static void take(const char *line)
{
#define TAKE(name, meaning, amd, intel, without) \
	if (!strcmp(line, #name)) { \
		expect_true(!host.name); \
		host.name = true; \
		return; \
	}
	KVMI_FEATURES(TAKE)
	fail("\"%s\" is no feature of include/kvmi/features.h", line);
}

static void read_features(void)
{
	FILE *file = fopen(FEATURES_FILE, "r");
	char line[64];

	expect_true(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		note("%s", line);
		take(line);
	}
	fclose(file);
}

/* The check of that name. */
static struct json_object *find(struct json_object *checks, const char *name)
{
	struct json_object *check, *value;
	size_t i;

	for (i = 0; i < json_object_array_length(checks); i++) {
		check = json_object_array_get_idx(checks, i);
		value = json_object_object_get(check, "check");
		if (!strcmp(name, json_object_get_string(value)))
			return check;
	}
	fail("kvmi doctor has no check \"%s\"", name);
}

static void expect_shown(struct json_object *features, const char *name,
			 bool want)
{
	struct json_object *shown = json_object_object_get(features, name);

	expect_true(json_object_is_type(shown, json_type_boolean));
	expect(want, json_object_get_boolean(shown));
}

/* Whatever else it finds, as QEMU is not everywhere. */
static void test_doctor(void)
{
	struct json_object *checks, *check, *features, *ok;

	checks = json_tokener_parse(command_output(-1, "doctor --json"));
	expect_true(checks);
	check = find(checks, "features");
	ok = json_object_object_get(check, "ok");
	expect(host.tdp_mmu, json_object_get_boolean(ok));
	features = json_object_object_get(check, "features");
#define SHOWN(name, meaning, amd, intel, without) \
	expect_shown(features, #name, host.name);
	KVMI_FEATURES(SHOWN)
	json_object_put(checks);
}

static bool singlestep_by_version(struct peer *peer)
{
	struct kvmi_get_version_reply reply;

	peer_command(peer, KVMI_GET_VERSION, NULL, 0, &reply, sizeof(reply));
	return reply.features.singlestep;
}

static bool tells_tsc_speed(struct peer *peer)
{
	struct kvmi_vcpu_get_info_reply info;

	vcpu_command(peer, 0, KVMI_VCPU_GET_INFO, NULL, 0, &info,
		     sizeof(info));
	return info.tsc_speed;
}

/*
 * What is there answers 0, what is not there with the error of its row. The vCPU
 * does not run.
 */
static void test_answers(struct vmm_vcpu *vcpu, struct peer *peer)
{
	expect(host.singlestep, singlestep_by_version(peer));
	expect(host.singlestep ? 0 : -KVM_EOPNOTSUPP,
	       __vcpu_control_singlestep(peer, 0, 1));
	if (host.singlestep)
		expect(0, __vcpu_control_singlestep(peer, 0, 0));
	expect(host.descriptors ? 0 : -KVM_EOPNOTSUPP,
	       __vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, 1));
	expect(host.execute_only ? 0 : -KVM_EINVAL,
	       __vm_set_page_access(peer, PAGE, X));
	expect(0, __vm_set_page_access(peer, PAGE, R | W | X));
	expect(host.tsc_speed, tells_tsc_speed(peer));
	expect(host.tsc_speed, ioctl(vcpu->vm->kvm, KVM_CHECK_EXTENSION,
				     KVM_CAP_TSC_CONTROL) > 0);
}

/* The processor reads the table of an exception that it delivers. */
static void test_fault_gva(struct vmm_vcpu *vcpu, struct peer *peer)
{
	struct event event;

	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(peer, GUEST_IDT, 0));
	vmm_vcpu_allow(vcpu, 1);
	event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
	expect(GUEST_IDT, event.pf.gpa & ~0xfffull);
	expect(R, event.pf.access);
	expect(host.fault_gva ? event.pf.gpa : ~0ull, event.pf.gva);
	expect(0, __vm_set_page_access(peer, GUEST_IDT, R | W | X));
	event_answer(peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 1);
	expect(1, vmm_state(vcpu)->caught[VECTOR]);
}

int main(void)
{
	static const uint8_t int3 = 0xcc;
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;

	hook_require(vm);
	read_features();
	test_doctor();
	if (!host.tdp_mmu) {
		expect(-EOPNOTSUPP, __hook(vm, &peer));
		vmm_destroy(vm);
		return 0;
	}
	vcpu = vmm_vcpu_create(vm, 0);
	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_catch(vm);
	vmm_page_code(vm, &int3, sizeof(int3));
	hook(vm, &peer);
	hook_allow_all(vm);
	test_answers(vcpu, &peer);
	vmm_vcpu_start(vcpu);
	test_fault_gva(vcpu, &peer);
	hooked_end(vm, &peer);
	return 0;
}
