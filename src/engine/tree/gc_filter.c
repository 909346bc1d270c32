/* SPDX-License-Identifier: ISC */
/* Decides which entries compaction may drop; see gc_filter.h for the rules. */
#include "engine/tree/gc_filter.h"

#include <errno.h>
#include <stdlib.h>

#define NO_STRIPE SIZE_MAX

void
gc_filter_init(struct gc_filter *f, const uint64_t *snapshots,
    size_t snapshot_count, const struct version *below, int below_level)
{
	*f = (struct gc_filter){
		.snapshots = snapshots,
		.snapshot_count = snapshot_count,
		.below = below,
		.below_level = below_level,
		.stripe = NO_STRIPE,
	};
}

void
gc_filter_fini(struct gc_filter *f)
{
	free(f->deletions);
	f->deletions = NULL;
}

/* The stripe of seq: the number of snapshots older than seq. */
static size_t
stripe_of(const struct gc_filter *f, uint64_t seq)
{
	size_t lo = 0, hi = f->snapshot_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->snapshots[mid] < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
below_may_hold(const struct gc_filter *f, struct slice smallest,
    struct slice limit)
{
	for (int i = f->below_level; i < LEVELS; i++)
		if (level_overlaps(&f->below->levels[i], i, smallest, limit))
			return true;
	return false;
}

static bool
below_may_hold_key(const struct gc_filter *f, struct slice user)
{
	uint8_t limit[KEY_USER_MAX + 1];

	memcpy(limit, user.data, user.len);
	limit[user.len] = 0;
	return below_may_hold(f, user, slice_make(limit, user.len + 1));
}

static bool
below_may_hold_group(const struct gc_filter *f, struct slice prefix)
{
	uint8_t end[KEY_PREFIX_LEN];

	key_group_end(end, prefix);
	return below_may_hold(f, prefix, slice_make(end, sizeof(end)));
}

static void
note_deletion(struct gc_filter *f, struct slice prefix, uint64_t seq)
{
	if (memcmp(f->group, prefix.data, KEY_PREFIX_LEN) != 0) {
		memcpy(f->group, prefix.data, KEY_PREFIX_LEN);
		f->deletion_count = 0;
	}
	if (f->deletion_count == f->deletion_cap) {
		size_t cap = f->deletion_cap != 0 ? f->deletion_cap * 2 : 8;
		uint64_t *p = realloc(f->deletions, cap * sizeof(*p));

		if (p == NULL) {
			f->error = -ENOMEM;
			return;
		}
		f->deletions = p;
		f->deletion_cap = cap;
	}
	f->deletions[f->deletion_count++] = seq;
}

/* Whether a newer deletion of its group, in the same stripe, deletes the
 * entry. */
static bool
is_hidden(const struct gc_filter *f, struct slice user, uint64_t seq,
    size_t stripe)
{
	if (f->deletion_count == 0 ||
	    memcmp(f->group, user.data, KEY_PREFIX_LEN) != 0)
		return false;
	for (size_t i = f->deletion_count; i > 0; i--)
		if (f->deletions[i - 1] > seq)
			return stripe_of(f, f->deletions[i - 1]) == stripe;
	return false;
}

bool
gc_filter_keep(struct gc_filter *f, struct slice ikey)
{
	struct slice user = key_user(ikey);
	uint64_t seq = key_seq(ikey);
	enum key_type type = key_type(ikey);
	bool is_group = type == KEY_DELETE_GROUP;
	size_t stripe = stripe_of(f, seq);
	bool superseded;

	/*
	 * The deletion of a group and a value with an empty name have the same
	 * user key, but neither supersedes the other. They come in the order of
	 * sequence numbers, so the last key is forgotten when the kind changes.
	 * At worst that keeps an entry that could be dropped.
	 */
	if (is_group != f->is_group ||
	    !slice_eq(user, slice_make(f->user, f->user_len))) {
		memcpy(f->user, user.data, user.len);
		f->user_len = user.len;
		f->is_group = is_group;
		f->stripe = NO_STRIPE;
	}
	superseded = f->stripe == stripe;
	f->stripe = stripe;
	if (is_group) {
		note_deletion(f, user, seq);
		return !superseded &&
		    (stripe != 0 || below_may_hold_group(f, user));
	}
	if (superseded || is_hidden(f, user, seq, stripe))
		return false;
	if (type == KEY_DELETE && stripe == 0)
		return below_may_hold_key(f, user);
	return true;
}
