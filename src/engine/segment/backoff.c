/* SPDX-License-Identifier: ISC */
/*
 * See backoff.h. A slot is 0, or has from the top: a fingerprint of the group
 * (48 bits), failures in a row (8 bits), values still to skip (8 bits). All
 * accesses are relaxed: no other memory depends on a slot.
 */
#include "engine/segment/backoff.h"

#include "engine/key/key.h"
#include "util/hash.h"

#define FAILURES_MAX 255u

struct place {
	_Atomic uint64_t *slot;
	uint64_t fingerprint;
};

static struct place
place_of(struct backoff *b, struct slice user)
{
	uint64_t hash = hash_bytes(user.data, KEY_PREFIX_LEN, 0);

	return (struct place){ &b->slots[hash % BACKOFF_SLOTS], hash >> 16 };
}

static uint64_t
slot_pack(uint64_t fingerprint, uint64_t failures, uint64_t skip)
{
	return fingerprint << 16 | failures << 8 | skip;
}

bool
backoff_may_try(struct backoff *b, struct slice user)
{
	struct place p = place_of(b, user);
	uint64_t slot = atomic_load_explicit(p.slot, memory_order_relaxed);

	if (slot == 0 || slot >> 16 != p.fingerprint || (slot & 0xff) == 0)
		return true;
	atomic_store_explicit(p.slot, slot - 1, memory_order_relaxed);
	return false;
}

void
backoff_learn(struct backoff *b, struct slice user, bool has_shrunk)
{
	struct place p = place_of(b, user);
	uint64_t slot = atomic_load_explicit(p.slot, memory_order_relaxed);
	uint64_t failures = 0, skip = 0;

	if (slot != 0 && slot >> 16 == p.fingerprint)
		failures = slot >> 8 & 0xff;
	else if (has_shrunk)
		return; /* another group has this slot: it keeps it */
	if (has_shrunk) {
		atomic_store_explicit(p.slot, 0, memory_order_relaxed);
		return;
	}
	if (failures < FAILURES_MAX)
		failures++;
	if (failures >= BACKOFF_MIN_FAILURES) {
		uint64_t doubled = failures - BACKOFF_MIN_FAILURES;

		skip = doubled < 3 ? (2u << doubled) - 1 : BACKOFF_SKIP_MAX;
	}
	atomic_store_explicit(p.slot, slot_pack(p.fingerprint, failures, skip),
	    memory_order_relaxed);
}
