// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi doctor: is this machine ready, and if not, what to do. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libsmartcols.h>

#include "kvmi.h"

extern char **environ;

enum { OPTION_QEMU = OPTION_OWN };

struct subject {
	const struct common *common;
	const char *qemu;
};

struct finding {
	bool is_problem;
	char what[256];		/* what was seen */
	const char *fix;	/* what to do; constant */
	struct features features;
	bool has_features;	/* the kernel told them */
};

struct check {
	const char *name;
	void (*run)(const struct subject *subject, struct finding *finding);
};

__attribute__((format(printf, 2, 3)))
static void found(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->what, sizeof(finding->what), format, args);
	va_end(args);
}

static void problem(struct finding *finding, const char *fix)
{
	finding->is_problem = true;
	finding->fix = fix;
}

/* The first line of a file, empty if there is none. */
static const char *first_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");

	*line = '\0';
	if (file && !fgets(line, size, file))
		*line = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static bool has_word(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (file && !found && getline(&line, &size, file) >= 0)
		found = strstr(line, word);
	free(line);
	if (file)
		fclose(file);
	return found;
}

static void check_processor(const struct subject *subject,
			    struct finding *finding)
{
	(void)subject;
	if (has_word("/proc/cpuinfo", " svm")) {
		found(finding, "AMD SVM");
	} else if (has_word("/proc/cpuinfo", " vmx")) {
		found(finding, "Intel VMX");
	} else {
		found(finding, "no virtualisation extension");
		problem(finding, "enable SVM or VT-x in the firmware, or nested virtualisation in the host of this machine");
	}
}

static void check_modules(const struct subject *subject,
			  struct finding *finding)
{
	char version[64], parameter[8];

	(void)subject;
	first_line("/sys/module/kvm/srcversion", version, sizeof(version));
	first_line("/sys/module/kvm/parameters/introspection", parameter,
		   sizeof(parameter));

	if (access("/sys/module/kvm", F_OK)) {
		found(finding, "kvm is not loaded");
		problem(finding, "modprobe kvm_amd or kvm_intel, or 'make load' in the source tree");
	} else if (!*parameter) {
		found(finding, "kvm (%s) is the stock module", version);
		problem(finding, "power off all VMs, then 'make load' in the source tree, or install the DKMS package");
	} else if (*parameter != 'Y' && *parameter != '1') {
		found(finding, "kvm (%s) has introspection switched off", version);
		problem(finding, "power off all VMs and load kvm with introspection=1");
	} else {
		found(finding, "kvm (%s), introspection on", version);
	}
}

static void check_vendor(const struct subject *subject, struct finding *finding)
{
	(void)subject;
	if (!access("/sys/module/kvm_amd", F_OK)) {
		found(finding, "kvm_amd");
	} else if (!access("/sys/module/kvm_intel", F_OK)) {
		found(finding, "kvm_intel");
	} else {
		found(finding, "neither kvm_amd nor kvm_intel is loaded");
		problem(finding, "modprobe the one for this processor and see the kernel log if it refuses");
	}
}

static void check_device(const struct subject *subject, struct finding *finding)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	(void)subject;
	if (fd >= 0) {
		found(finding, "/dev/kvm opens");
		close(fd);
		return;
	}
	found(finding, "/dev/kvm: %s", strerror(errno));
	problem(finding, errno == EACCES ?
		"only QEMU needs it: run QEMU as a user in the group kvm" :
		"load the modules");
}

static void check_capability(const struct subject *subject,
			     struct finding *finding)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int version = 0;

	(void)subject;
	if (fd < 0) {
		found(finding, "cannot ask: /dev/kvm does not open");
		problem(finding, "see the line before");
		return;
	}
	version = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_INTROSPECTION);
	close(fd);

	found(finding, "KVM says protocol version %d", version);
	if (version <= 0)
		problem(finding, "this kvm cannot introspect: load our modules");
	else if (version != KVMI_VERSION)
		problem(finding, "install a kvmi that matches the modules");
}

static void check_features(const struct subject *subject,
			   struct finding *finding)
{
	int err = features_read(&finding->features);

	(void)subject;
	finding->has_features = !err;
	if (err) {
		found(finding, "this kvm does not tell: %s", strerror(-err));
		problem(finding, "load our modules");
	} else if (!features_have(&finding->features, "tdp_mmu")) {
		found(finding, "no VM of this host can be introspected");
		problem(finding, "load kvm_amd with npt=1 or kvm_intel with ept=1, and kvm with tdp_mmu=1; older processors have neither");
	} else {
		found(finding, "%u, see below",
		      features_count(&finding->features));
	}
}

static bool is_open_to_all(const struct stat *st)
{
	return st->st_mode & S_IWOTH && !(st->st_mode & S_ISVTX);
}

static void check_socket(const struct subject *subject, struct finding *finding)
{
	const char *socket = subject->common->socket;
	char path[PATH_MAX];
	const char *dir;
	struct stat st;

	if (!strncmp(socket, "vsock:", 6)) {
		found(finding, "%s", socket);
		if (access("/dev/vsock", F_OK))
			problem(finding, "modprobe vhost_vsock");
		return;
	}
	snprintf(path, sizeof(path), "%s", socket);
	dir = dirname(path);
	if (stat(dir, &st)) {
		found(finding, "%s: %s", dir, strerror(errno));
		problem(finding, "create it, writable by you, searchable by QEMU's user");
	} else if (access(dir, W_OK | X_OK)) {
		found(finding, "%s is not writable", dir);
		problem(finding, "run as its owner or choose another --socket");
	} else if (is_open_to_all(&st)) {
		found(finding, "everybody may replace files in %s", dir);
		problem(finding, "chmod o-w it: who listens there can look into your VMs");
	} else {
		found(finding, "%s can be made", socket);
	}
}

/* The exit status, or -errno if it cannot be started. */
static int run_quietly(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status = 0, err, fd;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	for (fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null",
						 O_RDWR, 0);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static void check_qemu(const struct subject *subject, struct finding *finding)
{
	char *const argv[] = {
		(char *)subject->qemu, "-object", "introspection,help", NULL,
	};
	int status = run_quietly(argv);

	if (!status) {
		found(finding, "%s has the object", subject->qemu);
	} else if (status > 0 && status != 127) {
		found(finding, "%s has no introspection object", subject->qemu);
		problem(finding, "use our QEMU ('make qemu'); name it with --qemu");
	} else {
		found(finding, "%s does not run", subject->qemu);
		problem(finding, "name QEMU with --qemu or put it into the PATH");
	}
}

static const struct check checks[] = {
	{ "processor", check_processor },
	{ "modules", check_modules },
	{ "vendor module", check_vendor },
	{ "device", check_device },
	{ "capability", check_capability },
	{ "features", check_features },
	{ "socket", check_socket },
	{ "qemu", check_qemu },
};

#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

static void show_text(const struct finding *findings)
{
	struct libscols_table *table = scols_new_table();
	struct libscols_line *line;
	size_t i;

	scols_table_new_column(table, "CHECK", 0, 0);
	scols_table_new_column(table, "RESULT", 0, 0);
	scols_table_new_column(table, "FOUND", 0, 0);
	for (i = 0; i < CHECK_COUNT; i++) {
		line = scols_table_new_line(table, NULL);
		scols_line_set_data(line, 0, checks[i].name);
		scols_line_set_data(line, 1, findings[i].is_problem ?
				    "problem" : "OK");
		scols_line_set_data(line, 2, findings[i].what);
	}
	scols_print_table(table);
	scols_unref_table(table);

	for (i = 0; i < CHECK_COUNT; i++)
		if (findings[i].has_features)
			features_show(&findings[i].features);
	for (i = 0; i < CHECK_COUNT; i++)
		if (findings[i].is_problem)
			printf("\n%s: %s.\n    Do: %s.\n", checks[i].name,
			       findings[i].what, findings[i].fix);
}

static void show_json(const struct finding *findings)
{
	struct json_object *array = json_object_new_array();
	struct json_object *o;
	size_t i;

	for (i = 0; i < CHECK_COUNT; i++) {
		o = json_object_new_object();
		json_object_object_add(o, "check",
				       json_object_new_string(checks[i].name));
		json_object_object_add(o, "ok",
				       json_object_new_boolean(!findings[i].is_problem));
		json_object_object_add(o, "found",
				       json_object_new_string(findings[i].what));
		json_object_object_add(o, "fix", findings[i].fix ?
				       json_object_new_string(findings[i].fix) :
				       NULL);
		if (findings[i].has_features)
			json_object_object_add(o, "features",
					       features_json(&findings[i].features));
		json_object_array_add(array, o);
	}
	print_json(array);
}

static int examine(const struct subject *subject)
{
	struct finding findings[CHECK_COUNT] = { 0 };
	bool is_problem = false;
	size_t i;

	for (i = 0; i < CHECK_COUNT; i++) {
		checks[i].run(subject, &findings[i]);
		is_problem |= findings[i].is_problem;
	}
	if (subject->common->is_json)
		show_json(findings);
	else
		show_text(findings);
	return is_problem ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "qemu", required_argument, NULL, OPTION_QEMU },
		{ 0 },
	};
	struct common common;
	struct subject subject = {
		.common = &common,
		.qemu = getenv("KVMI_QEMU"),
	};
	int option;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_QEMU)
			subject.qemu = optarg;
		else
			common_option(&common, &verb_doctor, option);
	}
	if (optind != argc)
		usage(&verb_doctor, "there are no arguments");
	if (!subject.qemu || !*subject.qemu)
		subject.qemu = "qemu-system-x86_64";
	return examine(&subject);
}

const struct verb verb_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Check that this machine is ready, and say what to do if not",
	.help = "      --qemu PATH     QEMU to check; default $KVMI_QEMU, else\n"
		"                      qemu-system-x86_64 in the PATH\n",
	.run = run,
};
