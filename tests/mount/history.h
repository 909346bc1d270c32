/* SPDX-License-Identifier: ISC */
/*
 * A history: steps of one writer in one directory, every one of which
 * follows from a seed, and a model of what the directory holds after each.
 * history_write.c performs them, history_verify.c judges by them.
 *
 * Contents are in part as long as no close, fsync, rename or link has
 * committed them: the model keeps the least and the most that may be
 * there. After a step of the model the least is what has been promised.
 */
#ifndef TEST_MOUNT_HISTORY_H
#define TEST_MOUNT_HISTORY_H

#include <err.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 32 /* names that are replaced by rename */
#define TEMP SLOTS
#define LOG (SLOTS + 1) /* one that is appended to */
#define FIRST_NEW (SLOTS + 2)
#define NAMES_MAX (1u << 17)
#define LIVE_MAX 100
#define SIZE_MAX_BYTES 1500000
#define RECORD 32

enum step_type {
	CREATE,
	APPEND, /* open for it */
	WRITE,
	WRITTEN, /* a write with O_DSYNC has returned */
	FSYNC,
	CLOSE,
	RENAME,
	LINK,
	UNLINK,
	MKDIR,
	RMDIR,
	CHMOD,
	SYNC_DIR,
	SYNC_ROOT,
};

struct step {
	enum step_type type;
	uint32_t name, to;
	uint32_t value; /* length after a write, mode, O_DSYNC */
};

/* Contents: a stream that the id gives, of which min bytes at least are
 * committed, and max have been written. */
struct file {
	uint32_t id, min, max, mode;
};

struct name {
	char kind; /* 0: none, 'f', 'd' */
	uint32_t file;
};

struct journal {
	uint64_t seed;
	uint32_t is_full, is_lazy;
	_Atomic uint64_t done, durable;
};

static struct journal *journal;
static struct name names[NAMES_MAX];
static struct file files[NAMES_MAX];
static uint32_t name_count = FIRST_NEW, file_count;
static uint32_t live[LIVE_MAX + 1], live_count; /* files and directories */
static uint32_t open_file;
static bool planned_dsync;
static uint32_t fsync_rarity; /* one in so many */
static uint64_t rng;
static struct step steps[16];
static unsigned step_count, step_next;
static uint8_t buffer[SIZE_MAX_BYTES + RECORD];

/* ---- What happens ---- */

static inline uint32_t
pick(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static inline void
add(enum step_type type, uint32_t name, uint32_t to, uint32_t value)
{
	steps[step_count++] = (struct step){ type, name, to, value };
}

static inline uint32_t
pick_size(void)
{
	static const uint32_t limits[] = { 1, 200, 200, 5000, 5000, 40000,
		40000, 200000 };
	uint32_t limit = limits[pick(8)];

	return pick(limit);
}

static inline void
add_open(enum step_type type, uint32_t name)
{
	planned_dsync = pick(2 * fsync_rarity) == 0;
	add(type, name, 0, planned_dsync);
}

static inline void
add_write(uint32_t name, uint32_t to)
{
	add(WRITE, name, 0, to);
	if (planned_dsync)
		add(WRITTEN, name, 0, 0);
}

static inline void
add_contents(uint32_t name, uint32_t from, uint32_t size)
{
	if (size > 1 && pick(3) == 0)
		add_write(name, from + pick(size));
	if (size > 0)
		add_write(name, from + size);
	if (pick(fsync_rarity) == 0)
		add(FSYNC, name, 0, 0);
}

static inline void
plan_new(uint32_t size)
{
	uint32_t name = name_count++;

	live[live_count++] = name;
	add_open(CREATE, name);
	add_contents(name, 0, size);
	add(CLOSE, name, 0, 0);
}

static inline void
plan_removal(void)
{
	uint32_t i = pick(live_count);

	add(names[live[i]].kind == 'd' ? RMDIR : UNLINK, live[i], 0, 0);
	live[i] = live[--live_count];
}

static inline void
plan_replacement(uint32_t slot)
{
	bool early = pick(2) == 0; /* renamed before it is closed */

	add_open(CREATE, TEMP);
	add_contents(TEMP, 0, pick_size());
	if (early)
		add(RENAME, TEMP, slot, 0);
	add(CLOSE, early ? slot : TEMP, 0, 0);
	if (!early)
		add(RENAME, TEMP, slot, 0);
}

static inline void
plan_append(void)
{
	uint32_t size = names[LOG].kind != 0 ? files[names[LOG].file].max : 0;

	add_open(names[LOG].kind == 0 ? CREATE : APPEND, LOG);
	add_contents(LOG, size, 1 + pick(300));
	add(CLOSE, LOG, 0, 0);
}

static inline void
plan(void)
{
	uint32_t slot = pick(SLOTS), what = pick(16);

	step_count = step_next = 0;
	if (live_count >= LIVE_MAX ||
	    (what >= 9 && what <= 10 && live_count > 0)) {
		plan_removal();
	} else if (what <= 4 ||
	    (what >= 12 && what <= 13 && names[slot].kind == 0)) {
		plan_replacement(slot);
	} else if (what <= 10) {
		plan_new(pick_size());
	} else if (what == 11) {
		live[live_count++] = name_count;
		add(MKDIR, name_count++, 0, 0);
	} else if (what == 12) {
		add(CHMOD, slot, 0, 0600 | pick(0100));
	} else if (what == 13) {
		live[live_count++] = name_count;
		add(LINK, slot, name_count++, 0);
	} else if (what == 14) {
		plan_append();
	} else if (pick(fsync_rarity) < 4) {
		add(pick(3) == 0 ? SYNC_ROOT : SYNC_DIR, 0, 0, 0);
	} else {
		plan_new(pick(SIZE_MAX_BYTES));
	}
}

static inline void
commit_contents(struct file *f)
{
	f->min = f->max;
}

static inline void
apply(const struct step *s)
{
	struct name *n = &names[s->name];
	struct file *f = &files[n->file];

	switch (s->type) {
	case CREATE:
		f = &files[file_count];
		*f = (struct file){ .id = file_count + 1, .mode = 0600 };
		*n = (struct name){ 'f', file_count++ };
		/* fall through */
	case APPEND:
		open_file = n->file;
		break;
	case WRITE:
		f->max = s->value;
		break;
	case CLOSE:
		if (!journal->is_lazy)
			commit_contents(f);
		break;
	case WRITTEN:
	case FSYNC:
		commit_contents(f);
		break;
	case RENAME:
	case LINK:
		commit_contents(f);
		names[s->to] = *n;
		if (s->type == RENAME)
			n->kind = 0;
		break;
	case UNLINK:
	case RMDIR:
		n->kind = 0;
		break;
	case MKDIR:
		n->kind = 'd';
		break;
	case CHMOD:
		f->mode = s->value;
		break;
	case SYNC_DIR:
		break;
	case SYNC_ROOT:
		for (uint32_t i = 0; i < file_count; i++)
			commit_contents(&files[i]);
		break;
	}
}

static inline const struct step *
next_step(void)
{
	while (step_next == step_count)
		plan();
	return &steps[step_next++];
}

static inline void
name_of(uint32_t i, char *buf)
{
	if (i < SLOTS)
		sprintf(buf, "s%u", i);
	else if (i == TEMP || i == LOG)
		strcpy(buf, i == TEMP ? "temp" : "log");
	else
		sprintf(buf, "n%u", i);
}

/* Records of a stream: which one, where in it, and noise. */
static inline void
fill(uint8_t *p, uint32_t id, uint32_t from, uint32_t to)
{
	uint32_t first = from / RECORD;
	char rec[RECORD + 1];

	for (uint32_t i = first; i * RECORD < to; i++) {
		uint64_t noise = (i + 1) * 0x9e3779b97f4a7c15u ^
		    id * 0xc2b2ae3d27d4eb4fu;

		noise ^= noise >> 29;
		snprintf(rec, sizeof(rec), "%08x%08x%015llx\n", id, i,
		    (unsigned long long)(noise * 0xbf58476d1ce4e5b9u >> 4));
		for (uint32_t j = 0; j < RECORD; j++)
			if (i * RECORD + j >= from && i * RECORD + j < to)
				p[i * RECORD + j - from] = (uint8_t)rec[j];
	}
}

static inline void
start_over(void)
{
	memset(names, 0, sizeof(names));
	name_count = FIRST_NEW;
	file_count = live_count = step_count = step_next = 0;
	/* Runs of seeds share it, so that the writers of a round do. */
	fsync_rarity = 8u << 2 * (journal->seed / 10 % 4);
	rng = journal->seed * 0x9e3779b97f4a7c15u | 1;
}

static inline void
journal_open(const char *path, bool create)
{
	int fd = open(path, O_RDWR | (create ? O_CREAT | O_TRUNC : 0), 0600);

	if (fd < 0 || (create && ftruncate(fd, sizeof(*journal)) != 0))
		err(1, "%s", path);
	journal = mmap(NULL, sizeof(*journal), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (journal == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
}

#endif
