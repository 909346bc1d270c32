/* SPDX-License-Identifier: ISC */
/*
 * The state of a tree of env_mem after a crash; see env_mem.h for the rules.
 *
 * The probability that a change survives is drawn at random for each file and
 * directory, so that all, none and some survive often.
 */
#include <stdlib.h>
#include <string.h>

#include "support/env_mem_node.h"

#define SECTOR 512

struct crash {
	enum env_mem_crash_mode mode;
	struct mem_random *rnd;
	uint64_t id; /* of this copy: in nodes that have been copied */
};

static uint64_t
below(struct crash *c, uint64_t n)
{
	return mem_random_next(c->rnd) % n;
}

static struct mem_node *copy_node(struct crash *c, struct mem_node *node);

/* ---- Files ---- */

/* Choose how many of the changes, in order, the size has. */
static uint64_t
choose_size_changes(struct crash *c, uint64_t count)
{
	switch (below(c, 4)) {
	case 0:
		return 0;
	case 1:
		return count;
	default:
		return below(c, count + 1);
	}
}

static uint64_t
size_after(const struct mem_node *node, uint64_t count)
{
	const struct mem_change *ch;
	uint64_t size = node->sure.size;

	STAILQ_FOREACH (ch, &node->changes, link) {
		if (count-- == 0)
			break;
		if (ch->is_resize)
			size = ch->off;
		else if (ch->off + ch->len > size)
			size = ch->off + ch->len;
	}
	return size;
}

/*
 * Choose a state of a file's sectors: last[s] is the number, from 1, of the last
 * change that sector s has on the disk. If a truncation is not on the disk, no
 * later change is: it went to blocks that the disk does not have yet.
 */
static void
choose_sectors(struct crash *c, const struct mem_node *node, uint64_t settled,
    uint64_t *last, uint64_t sectors)
{
	unsigned chance = (unsigned)below(c, 5) * 25;
	uint64_t size = node->sure.size;
	const struct mem_change *ch;
	uint64_t i = 0;

	STAILQ_FOREACH (ch, &node->changes, link) {
		uint64_t first = ch->off / SECTOR;
		bool is_kept = below(c, 100) < chance;
		bool is_torn = below(c, 4) == 0;

		i++;
		if (ch->is_resize) {
			if (ch->off < size && i > settled)
				return;
			for (uint64_t s = first; ch->off < size && s < sectors;
			     s++)
				last[s] = i;
			size = ch->off;
			continue;
		}
		if (ch->off + ch->len > size)
			size = ch->off + ch->len;
		for (uint64_t s = first; s * SECTOR < ch->off + ch->len; s++) {
			if (is_torn ? below(c, 2) : is_kept)
				last[s] = i;
		}
	}
}

/* Apply change number i to the sectors of img that have it. */
static void
replay_change(struct mem_bytes *img, const struct mem_change *ch, uint64_t i,
    const uint64_t *last, uint64_t sectors)
{
	static const uint8_t zeros[SECTOR];
	uint64_t end = ch->is_resize ? sectors * SECTOR : ch->off + ch->len;

	for (uint64_t at = ch->off; at < end;) {
		uint64_t s = at / SECTOR;
		uint64_t stop = (s + 1) * SECTOR < end ? (s + 1) * SECTOR : end;

		if (i <= last[s])
			mem_bytes_write(img,
			    ch->is_resize ? zeros : ch->data + (at - ch->off),
			    stop - at, at);
		at = stop;
	}
}

static void
crash_file(struct crash *c, const struct mem_node *node, struct mem_bytes *img)
{
	const struct mem_change *ch;
	uint64_t end = node->sure.size;
	uint64_t count = 0;
	uint64_t settled, sectors, i = 0;
	uint64_t *last;

	mem_bytes_copy(img, &node->sure);
	if (c->mode == ENV_MEM_DROP || STAILQ_EMPTY(&node->changes))
		return;
	STAILQ_FOREACH (ch, &node->changes, link) {
		count++;
		if (!ch->is_resize && ch->off + ch->len > end)
			end = ch->off + ch->len;
	}
	sectors = (end + SECTOR - 1) / SECTOR;
	last = mem_alloc(sectors * sizeof(*last));
	settled = choose_size_changes(c, count);
	choose_sectors(c, node, settled, last, sectors);
	STAILQ_FOREACH (ch, &node->changes, link) {
		i++;
		/* A change of the size writes only zeros, where it cuts. */
		if (!ch->is_resize || ch->off < end)
			replay_change(img, ch, i, last, sectors);
	}
	free(last);
	mem_bytes_resize(img, size_after(node, settled));
}

/* ---- Directories ---- */

struct lost_names {
	const char **names;
	size_t count;
};

static bool
is_lost(const struct lost_names *lost, const char *name)
{
	for (size_t i = 0; name != NULL && i < lost->count; i++) {
		if (strcmp(lost->names[i], name) == 0)
			return true;
	}
	return false;
}

static void
lose(struct lost_names *lost, const char *name)
{
	if (name != NULL && !is_lost(lost, name))
		lost->names[lost->count++] = name;
}

static void
crash_dir(struct crash *c, const struct mem_node *dir,
    struct mem_entries *entries)
{
	unsigned chance = (unsigned)below(c, 5) * 25;
	const struct mem_dir_change *ch;
	struct lost_names lost = { 0 };
	bool has_stopped = c->mode == ENV_MEM_DROP;
	size_t count = 0;
	uint64_t prefix;

	STAILQ_FOREACH (ch, &dir->dir_changes, link)
		count++;
	lost.names = mem_alloc(2 * count * sizeof(*lost.names));
	prefix = choose_size_changes(c, count);
	STAILQ_FOREACH (ch, &dir->dir_changes, link) {
		if (c->mode == ENV_MEM_ORDERED && prefix-- == 0)
			has_stopped = true;
		if (has_stopped)
			break;
		if (c->mode == ENV_MEM_HOSTILE &&
		    (is_lost(&lost, ch->from) || is_lost(&lost, ch->to) ||
			below(c, 100) >= chance)) {
			lose(&lost, ch->from);
			lose(&lost, ch->to);
			continue;
		}
		mem_entries_apply(entries, ch);
	}
	free(lost.names);
}

/* ---- Copies ---- */

static void
copy_entries(struct crash *c, const struct mem_entries *src,
    struct mem_entries *dst, bool counts_links)
{
	const struct mem_entry *e;
	struct mem_node *copy;

	TAILQ_FOREACH (e, src, link) {
		copy = copy_node(c, e->node);
		copy->links += counts_links;
		mem_entries_set(dst, e->name, copy);
		mem_node_unref(copy);
	}
}

/* Copy the present state; unsynced changes stay unsynced. */
static void
copy_alive(struct crash *c, struct mem_node *node, struct mem_node *copy)
{
	const struct mem_change *ch;
	const struct mem_dir_change *d;
	struct mem_dir_change *dc;

	mem_bytes_copy(&copy->now, &node->now);
	mem_bytes_copy(&copy->sure, &node->sure);
	STAILQ_FOREACH (ch, &node->changes, link)
		mem_node_append_change(copy, ch);
	copy_entries(c, &node->entries_now, &copy->entries_now, true);
	copy_entries(c, &node->entries_sure, &copy->entries_sure, false);
	STAILQ_FOREACH (d, &node->dir_changes, link) {
		dc = mem_alloc(sizeof(*dc));
		if (d->from != NULL)
			dc->from = strcpy(mem_alloc(strlen(d->from) + 1),
			    d->from);
		if (d->to != NULL)
			dc->to = strcpy(mem_alloc(strlen(d->to) + 1), d->to);
		if (d->node != NULL)
			dc->node = copy_node(c, d->node);
		STAILQ_INSERT_TAIL(&copy->dir_changes, dc, link);
	}
}

static void
copy_crashed(struct crash *c, struct mem_node *node, struct mem_node *copy)
{
	struct mem_entries left;
	const struct mem_entry *e;

	if (!node->is_dir) {
		crash_file(c, node, &copy->sure);
		mem_bytes_copy(&copy->now, &copy->sure);
		return;
	}
	TAILQ_INIT(&left);
	TAILQ_FOREACH (e, &node->entries_sure, link)
		mem_entries_set(&left, e->name, e->node);
	crash_dir(c, node, &left);
	copy_entries(c, &left, &copy->entries_now, true);
	copy_entries(c, &left, &copy->entries_sure, false);
	while (!TAILQ_EMPTY(&left)) {
		struct mem_dir_change gone = {
			.from = TAILQ_FIRST(&left)->name
		};

		mem_entries_apply(&left, &gone);
	}
}

/* Returns a reference to the node's copy, which is made the first time, so that
 * two names of a file stay two names of one file. */
static struct mem_node *
copy_node(struct crash *c, struct mem_node *node)
{
	if (node->copy_id == c->id) {
		node->copy->refs++;
		return node->copy;
	}
	node->copy = mem_node_create(node->is_dir);
	node->copy_id = c->id;
	if (c->mode == ENV_MEM_KILL)
		copy_alive(c, node, node->copy);
	else
		copy_crashed(c, node, node->copy);
	return node->copy;
}

struct mem_node *
mem_tree_copy(struct mem_node *root, enum env_mem_crash_mode mode,
    struct mem_random *rnd)
{
	/* The id differs from that of any earlier copy of these nodes. */
	struct crash c = { mode, rnd, root->copy_id + 1 };

	return copy_node(&c, root);
}
