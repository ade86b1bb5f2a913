// SPDX-License-Identifier: GPL-2.0-or-later
/* What every verb understands on the command line. */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "kept.h"

#define DEFAULT_TIMEOUT 30

const char common_help[] =
	"  -s, --socket PATH|vsock:PORT\n"
	"                      where QEMU connects to; default $KVMI_SOCKET, else\n"
	"                      " DEFAULT_SOCKET "\n"
	"      --socket-mode MODE  rights of the socket, octal; default 600\n"
	"      --vm UUID|NAME  this VM only; default the first that connects\n"
	"      --key-file FILE the secret that QEMU has, too; each byte counts\n"
	"      --old-auth      also a QEMU that does not prove that it has it\n"
	"      --share-memory  read memory that QEMU shares, without KVM\n"
	"      --timeout S     how long to wait for the VM; default 30\n"
	"      --json          write JSON\n"
	"  -v, --verbose       tell what happens\n"
	"  -h, --help          print this\n";

void common_init(struct common *common)
{
	const char *socket = getenv("KVMI_SOCKET");

	*common = (struct common){
		.socket = socket && *socket ? socket : DEFAULT_SOCKET,
		.socket_mode = 0600,
		.timeout = DEFAULT_TIMEOUT,
	};
	kept_defaults(common);
}

void print_verb_help(const struct verb *verb, FILE *out)
{
	fprintf(out, "Usage: kvmi %s [OPTION...] %s\n%s.\n\n%s%s", verb->name,
		verb->arguments, verb->summary, verb->help, common_help);
}

void usage(const struct verb *verb, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "kvmi %s: ", verb->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see 'kvmi help %s'\n", verb->name);
	verb_leave(EXIT_USAGE);
}

static unsigned int read_mode(const struct verb *verb, const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (!*text || *end || !mode || mode > 0777)
		usage(verb, "'%s' is no socket mode as 660", text);
	return (unsigned int)mode;
}

static int read_timeout(const struct verb *verb, const char *text)
{
	uint64_t seconds;

	if (parse_number(text, &seconds) || seconds > INT_MAX / 1000)
		usage(verb, "'%s' is no time in seconds", text);
	return (int)seconds;
}

void common_option(struct common *common, const struct verb *verb, int option)
{
	switch (option) {
	case 's':
		common->socket = optarg;
		break;
	case 'v':
		common->is_verbose = true;
		break;
	case OPTION_VM:
		common->vm = optarg;
		break;
	case OPTION_KEY_FILE:
		common->key_file = optarg;
		break;
	case OPTION_OLD_AUTH:
		common->is_old_auth = true;
		break;
	case OPTION_SHARE_MEMORY:
		common->shares_memory = true;
		break;
	case OPTION_SOCKET_MODE:
		common->socket_mode = read_mode(verb, optarg);
		break;
	case OPTION_TIMEOUT:
		common->timeout = read_timeout(verb, optarg);
		break;
	case OPTION_JSON:
		common->is_json = true;
		break;
	case 'h':
		print_verb_help(verb, stdout);
		verb_leave(EXIT_DONE);
	default:
		/* getopt_long() has said what is wrong. */
		fprintf(stderr, "See 'kvmi help %s'.\n", verb->name);
		verb_leave(EXIT_USAGE);
	}
}
