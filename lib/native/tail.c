// SPDX-License-Identifier: LGPL-2.1-or-later
/* The records at the end of a message of the handshake. */
#include <errno.h>
#include <string.h>

#include "tail.h"

#define FILLED(size) (((size) + 7) / 8 * 8)

static int take_features(struct tail *tail, const uint8_t *content,
			 size_t size)
{
	struct kvmi_handshake_features features;

	if (tail->has_features || size < sizeof(features))
		return -EPROTO;
	memcpy(&features, content, sizeof(features));
	tail->has_features = true;
	tail->features = features.features;
	return 0;
}

static int take_bytes(size_t *where, size_t at, size_t size, size_t wanted)
{
	if (*where || size != wanted)
		return -EPROTO;
	*where = at;
	return 0;
}

static int take_rows(size_t *where, size_t *count, size_t at, size_t size,
		     size_t row)
{
	if (*where || size % row)
		return -EPROTO;
	*where = at;
	*count = size / row;
	return 0;
}

static int take(struct tail *tail, uint16_t type, const uint8_t *msg,
		size_t at, size_t size)
{
	/* What comes behind the proof is not proved. */
	if (tail->proof)
		return -EPROTO;

	switch (type) {
	case KVMI_RECORD_FEATURES:
		return take_features(tail, msg + at, size);
	case KVMI_RECORD_NONCE:
		return take_bytes(&tail->nonce, at, size,
				  KVMI_HANDSHAKE_NONCE_SIZE);
	case KVMI_RECORD_PROOF:
		return take_bytes(&tail->proof, at, size,
				  KVMI_HANDSHAKE_PROOF_SIZE);
	case KVMI_RECORD_E820:
		return take_rows(&tail->areas, &tail->area_count, at, size,
				 sizeof(struct kvmi_handshake_area));
	case KVMI_RECORD_MEMORY:
		return take_rows(&tail->ranges, &tail->range_count, at, size,
				 sizeof(struct kvmi_handshake_range));
	default:
		return 0;
	}
}

int tail_read(struct tail *tail, const uint8_t *msg, size_t at, size_t size)
{
	struct kvmi_handshake_record record;
	int err;

	memset(tail, 0, sizeof(*tail));
	while (at < size) {
		if (size - at < sizeof(record))
			return -EPROTO;
		memcpy(&record, msg + at, sizeof(record));
		at += sizeof(record);
		if (record.size > size - at ||
		    FILLED((size_t)record.size) > size - at)
			return -EPROTO;
		err = take(tail, record.type, msg, at, record.size);
		if (err)
			return err;
		at += FILLED((size_t)record.size);
	}
	return 0;
}

bool tail_is_ours(const uint8_t *msg, size_t at, size_t size)
{
	struct kvmi_handshake_record first;

	if (size < at + sizeof(first))
		return false;
	memcpy(&first, msg + at, sizeof(first));
	return first.type == KVMI_RECORD_FEATURES;
}

size_t tail_append(uint8_t *msg, size_t at, uint16_t type, const void *content,
		   size_t size)
{
	const struct kvmi_handshake_record record = {
		.type = type,
		.size = (uint32_t)size,
	};

	memset(msg + at, 0, sizeof(record) + FILLED(size));
	memcpy(msg + at, &record, sizeof(record));
	memcpy(msg + at + sizeof(record), content, size);
	return at + sizeof(record) + FILLED(size);
}
