// SPDX-License-Identifier: GPL-2.0-or-later
/* How Linux patches its own text while it runs, and what such a patch can be. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "poke.h"

#define INT3		0xcc
#define CALL		0xe8
#define JMP32		0xe9
#define JMP8		0xeb
#define RET		0xc3
#define LOCK		0xf0
#define NO_LOCK		0x3e	/* a segment that does not count */
#define NOP5_SIZE	5
#define TOUCHED_MAX	(1u << 18)

static const uint8_t nop5[NOP5_SIZE] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
static const uint8_t nop2[2] = { 0x66, 0x90 };
/* A static call that returns 0: xor %eax, %eax with prefixes. */
static const uint8_t zero5[NOP5_SIZE] = { 0x2e, 0x2e, 0x2e, 0x31, 0xc0 };
static const uint8_t ret5[NOP5_SIZE] = { RET, INT3, INT3, INT3, INT3 };

const char *const poke_names[POKE_KINDS] = {
	"static key", "static call", "ftrace", "kprobe", "lock prefix",
};

/* A place that was patched since we look. */
struct touched {
	uint64_t address;	/* the first member: compared */
	uint64_t target;
	enum poke_kind kind;
	size_t size;		/* of the instruction that may be replaced */
	bool has_before;	/* else nobody knows what the kernel had there */
	bool is_tail_new;	/* what is behind the first byte was stored to */
	uint8_t before[POKE_SIZE];
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void poke_sort(struct pokes *p)
{
	qsort(p->sites, p->site_count, sizeof(*p->sites), compare);
}

void poke_exit(struct pokes *p)
{
	tdestroy(p->touched, free);
	p->touched = NULL;
}

static struct touched *find(const struct pokes *p, uint64_t address)
{
	void *node = tfind(&address, &p->touched, compare);

	return node ? *(struct touched **)node : NULL;
}

/* What the kernel has at this address, by its tables and its symbols. */
static bool classify(const struct pokes *p, struct touched *t)
{
	const struct poke_site *site = NULL;

	if (p->site_count)
		site = bsearch(&t->address, p->sites, p->site_count,
			       sizeof(*p->sites), compare);
	if (site) {
		t->kind = site->kind;
		t->target = site->target;
	} else if (!p->is_entry(p->source, t->address, &t->kind)) {
		t->kind = POKE_PROBE;
	}
	return site;
}

static struct touched *add(struct pokes *p, const struct touched *from)
{
	struct touched *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	*t = *from;
	if (tsearch(t, &p->touched, compare))
		return t;
	free(t);
	return NULL;
}

static int32_t get32(const uint8_t *bytes)
{
	int32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static bool is_code(const struct pokes *p, uint64_t to)
{
	return (to >= p->text && to < p->text_end) ||
	       (to >= p->other && to < p->other_end);
}

/* CALL or JMP with 32 bits, to where there is code. */
static bool goes_to_code(const struct pokes *p, const struct touched *t,
			 const uint8_t *code)
{
	return (code[0] == CALL || code[0] == JMP32) &&
	       is_code(p, t->address + 5 + (uint64_t)(int64_t)get32(code + 1));
}

static bool is_jcc(const struct pokes *p, const struct touched *t,
		   const uint8_t *code)
{
	return code[0] == 0x0f && (code[1] & 0xf0) == 0x80 &&
	       is_code(p, t->address + 6 + (uint64_t)(int64_t)get32(code + 2));
}

/* One NOP, or the one jump that the kernel's table has for it. */
static bool is_key(const struct touched *t, const uint8_t *code)
{
	const uint64_t distance = t->target - t->address;

	if (code[0] == JMP8)
		return (uint64_t)(int64_t)(int8_t)code[1] == distance - 2;
	if (code[0] == JMP32)
		return (uint64_t)(int64_t)get32(code + 1) == distance - 5;
	return !memcmp(code, nop5, sizeof(nop5)) ||
	       !memcmp(code, nop2, sizeof(nop2));
}

/* With its first byte, or with an INT3 over that. */
static size_t size_of(const struct pokes *p, const struct touched *t,
		      const uint8_t *now)
{
	uint8_t code[POKE_SIZE];

	memcpy(code, now, sizeof(code));
	if (t->kind == POKE_KEY) {
		if (code[0] == INT3)
			code[0] = code[1] == nop5[1] ? nop5[0] : JMP32;
		return (!memcmp(code, nop5, sizeof(nop5)) ||
			code[0] == JMP32) && is_key(t, code) ? 5 : 2;
	}
	if (code[0] == INT3)
		code[0] = 0x0f;
	return t->kind == POKE_CALL && is_jcc(p, t, code) ? 6 : 5;
}

static bool was_so(const struct touched *t, const uint8_t *code)
{
	/* What is behind a short instruction may be another place. */
	if (t->kind == POKE_PROBE && !t->is_tail_new)
		return t->has_before && code[0] == t->before[0];
	return t->has_before && !memcmp(code, t->before, t->size);
}

static bool is_legal(const struct pokes *p, const struct touched *t,
		     const uint8_t *code)
{
	if (was_so(t, code))
		return true;
	switch (t->kind) {
	case POKE_KEY:
		return is_key(t, code);
	case POKE_CALL:
		return goes_to_code(p, t, code) || is_jcc(p, t, code) ||
		       !memcmp(code, nop5, sizeof(nop5)) ||
		       !memcmp(code, zero5, sizeof(zero5)) ||
		       !memcmp(code, ret5, sizeof(ret5));
	case POKE_TRACE:
		return !t->has_before || goes_to_code(p, t, code) ||
		       !memcmp(code, nop5, sizeof(nop5));
	default:
		return !t->has_before || goes_to_code(p, t, code);
	}
}

/* The byte that makes an instruction of what is there. */
static int judge_first(const struct pokes *p, struct touched *t, uint8_t byte)
{
	uint8_t code[POKE_SIZE];
	int err = p->read(p->source, t->address, code, sizeof(code));

	if (err)
		return err;
	if (code[0] != INT3)
		return -EPERM;
	code[0] = byte;
	if (!is_legal(p, t, code))
		return -EPERM;
	if (was_so(t, code))
		t->is_tail_new = false;
	return 0;
}

/*
 * Looks at a place. It was open before we came, or a probe is set, if there is an
 * INT3 already, or a jump to where such probes are.
 */
static int look(const struct pokes *p, struct touched *t)
{
	uint64_t to;
	int err = p->read(p->source, t->address, t->before, sizeof(t->before));

	if (err)
		return err;
	to = t->address + 5 + (uint64_t)(int64_t)get32(t->before + 1);
	t->has_before = t->before[0] != INT3 &&
			(t->before[0] != JMP32 || to < p->other ||
			 to >= p->other_end);
	t->size = size_of(p, t, t->before);
	return 0;
}

static int begin(struct pokes *p, struct touched *t)
{
	int err = look(p, t);

	if (err)
		return err;
	/* More than that no kernel patches. */
	if (p->touched_count == TOUCHED_MAX)
		return -EPERM;
	p->touched_count++;
	return add(p, t) ? 0 : -ENOMEM;
}

/* A kernel that booted on one processor gets another: no INT3 comes first. */
static bool is_lock(const struct pokes *p, uint64_t address, uint8_t byte)
{
	uint8_t old;

	return byte == LOCK && !p->read(p->source, address, &old, 1) &&
	       old == NO_LOCK;
}

static int judge_byte(struct pokes *p, uint64_t address, uint8_t byte,
		      enum poke_kind *kind)
{
	struct touched unknown = { .address = address }, *t = find(p, address);
	int err;

	if (!t) {
		classify(p, &unknown);
		*kind = unknown.kind;
		err = begin(p, &unknown);
		if (err)
			return err;
		t = find(p, address);
	}
	*kind = t->kind;
	if (byte != INT3)
		return judge_first(p, t, byte);
	return t->has_before ? 0 : look(p, t);
}

/* What is behind an INT3 belongs to the place that begins with it. */
static int judge_tail(struct pokes *p, uint64_t address, size_t size,
		      enum poke_kind *kind)
{
	struct touched unknown, *t;
	uint64_t start;
	uint8_t byte;
	int err;

	for (start = address - 1; start + POKE_SIZE >= address + size; start--) {
		unknown = (struct touched){ .address = start };
		t = find(p, start);
		if (!t && classify(p, &unknown)) {
			err = begin(p, &unknown);
			if (err)
				return err;
			t = find(p, start);
		}
		if (!t || start + t->size < address + size)
			continue;
		*kind = t->kind;
		err = p->read(p->source, start, &byte, 1);
		if (err)
			return err;
		if (byte != INT3)
			continue;
		t->is_tail_new = true;
		return 0;
	}
	return -EPERM;
}

/* A place that is known is not the rest of one before it. */
static bool is_place(const struct pokes *p, uint64_t address)
{
	struct touched unknown = { .address = address };

	return find(p, address) || classify(p, &unknown);
}

int poke_judge(struct pokes *p, uint64_t address, const uint8_t *bytes,
	       size_t size, enum poke_kind *kind)
{
	int err = -EPERM;

	*kind = POKE_PROBE;
	if (!size || address < p->text || address + size > p->text_end)
		return -EPERM;
	if (size > 1 || !is_place(p, address))
		err = judge_tail(p, address, size, kind);
	if (err != -EPERM || size != 1)
		return err;
	if (is_lock(p, address, *bytes)) {
		*kind = POKE_LOCK;
		return 0;
	}
	return judge_byte(p, address, *bytes, kind);
}
