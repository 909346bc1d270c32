/* SPDX-License-Identifier: ISC */
/*
 * A writer whose every step follows from a seed, and the judge who replays
 * the steps and says whether a directory is as it was after one of them.
 *
 *   history write  DIR JOURNAL SEED full|some close|lazy
 *   history verify DIR JOURNAL
 *
 * "write" works in DIR until a call fails; its exit status is
 * 0 when that was EIO, 1 otherwise. The journal, which is to lie on a disk
 * that stays, says how many steps have returned and up to which one the
 * store has promised durability: with sync=full ("full") all of them, else
 * up to the last fsync. flush=lazy ("lazy") means that close(2) commits
 * nothing.
 *
 * "verify" demands the exact state after some step between those two, or
 * after the one under way: that every name, mode, link and byte is right,
 * that nothing of a later step is there when an earlier one is missing, and
 * that a file replaced by rename is whole. Only contents which no close,
 * fsync, rename or link has committed may be there in part, from the
 * front. Prints the step found and how many commits after it are lost.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

static const char *const step_names[] = { "create", "append", "write", "fsync",
	"close", "rename", "link", "unlink", "mkdir", "rmdir", "chmod",
	"fsync of the directory", "fsync of the root" };

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
static uint32_t open_file; /* which, and how */
static bool open_dsync;
static uint32_t fsync_rarity; /* one in so many */
static uint64_t rng;
static struct step steps[16];
static unsigned step_count, step_next;
static uint8_t buffer[SIZE_MAX_BYTES + RECORD];

/* ---- What happens ---- */

static uint32_t
pick(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static void
add(enum step_type type, uint32_t name, uint32_t to, uint32_t value)
{
	steps[step_count++] = (struct step){ type, name, to, value };
}

static uint32_t
pick_size(void)
{
	static const uint32_t limits[] = { 1, 200, 200, 5000, 5000, 40000,
		40000, 200000 };
	uint32_t limit = limits[pick(8)];

	return pick(limit);
}

static void
add_contents(uint32_t name, uint32_t from, uint32_t size)
{
	if (size > 1 && pick(3) == 0)
		add(WRITE, name, 0, from + pick(size));
	if (size > 0)
		add(WRITE, name, 0, from + size);
	if (pick(fsync_rarity) == 0)
		add(FSYNC, name, 0, 0);
}

static void
plan_new(uint32_t size)
{
	uint32_t name = name_count++;

	live[live_count++] = name;
	add(CREATE, name, 0, pick(2 * fsync_rarity) == 0);
	add_contents(name, 0, size);
	add(CLOSE, name, 0, 0);
}

static void
plan_removal(void)
{
	uint32_t i = pick(live_count);

	add(names[live[i]].kind == 'd' ? RMDIR : UNLINK, live[i], 0, 0);
	live[i] = live[--live_count];
}

static void
plan_replacement(uint32_t slot)
{
	bool early = pick(2) == 0; /* renamed before it is closed */

	add(CREATE, TEMP, 0, pick(2 * fsync_rarity) == 0);
	add_contents(TEMP, 0, pick_size());
	if (early)
		add(RENAME, TEMP, slot, 0);
	add(CLOSE, early ? slot : TEMP, 0, 0);
	if (!early)
		add(RENAME, TEMP, slot, 0);
}

static void
plan_append(void)
{
	uint32_t size = names[LOG].kind != 0 ? files[names[LOG].file].max : 0;

	if (names[LOG].kind == 0)
		add(CREATE, LOG, 0, 0);
	else
		add(APPEND, LOG, 0, pick(2 * fsync_rarity) == 0);
	add_contents(LOG, size, 1 + pick(300));
	add(CLOSE, LOG, 0, 0);
}

static void
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

static void
commit_contents(struct file *f)
{
	f->min = f->max;
}

static void
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
		open_dsync = s->value != 0;
		break;
	case WRITE:
		f->max = s->value;
		if (open_dsync)
			commit_contents(f);
		break;
	case CLOSE:
		if (!journal->is_lazy)
			commit_contents(f);
		break;
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

static const struct step *
next_step(void)
{
	while (step_next == step_count)
		plan();
	return &steps[step_next++];
}

static bool
is_commit(const struct step *s)
{
	return s->type == CREATE || (s->type >= RENAME && s->type <= CHMOD);
}

static void
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
static void
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

/* ---- Writing ---- */

static int
sync_path(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY);
	int rc = fd < 0 ? -1 : fsync(fd), saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return rc;
}

static int
write_contents(int fd, const struct file *f, uint32_t to)
{
	uint32_t len = to - f->max;
	ssize_t n;

	fill(buffer, f->id, f->max, to);
	for (uint32_t done = 0; done < len; done += (uint32_t)n) {
		n = write(fd, buffer + done, len - done);
		if (n < 0)
			return -1;
	}
	return 0;
}

static int
perform(int dir, int *fdp, const struct step *s)
{
	char a[16], b[16];
	int rc;

	name_of(s->name, a);
	name_of(s->to, b);
	switch (s->type) {
	case CREATE:
	case APPEND:
		*fdp = openat(dir, a,
		    O_WRONLY | (s->value != 0 ? O_DSYNC : 0) |
			(s->type == CREATE ? O_CREAT | O_EXCL : O_APPEND),
		    0600);
		return *fdp;
	case WRITE:
		return write_contents(*fdp, &files[open_file], s->value);
	case FSYNC:
		return fsync(*fdp);
	case CLOSE:
		rc = close(*fdp);
		*fdp = -1;
		return rc;
	case RENAME:
		return renameat(dir, a, dir, b);
	case LINK:
		return linkat(dir, a, dir, b, 0);
	case UNLINK:
		return unlinkat(dir, a, 0);
	case MKDIR:
		return mkdirat(dir, a, 0700);
	case RMDIR:
		return unlinkat(dir, a, AT_REMOVEDIR);
	case CHMOD:
		return fchmodat(dir, a, s->value, 0);
	case SYNC_DIR:
		return sync_path(dir, ".");
	case SYNC_ROOT:
		return sync_path(dir, "..");
	}
	return -1;
}

static bool
promises_durability(const struct step *s)
{
	return journal->is_full || s->type == FSYNC || s->type == SYNC_DIR ||
	    s->type == SYNC_ROOT || (s->type == WRITE && open_dsync);
}

static int
write_history(const char *path)
{
	int fd = -1, dir;

	dir = open(path, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		err(1, "%s", path);
	for (uint64_t t = 1; name_count + 1 < NAMES_MAX; t++) {
		const struct step *s = next_step();

		if (perform(dir, &fd, s) < 0) {
			if (errno != EIO)
				err(1, "%s: step %llu, %s", path,
				    (unsigned long long)t, step_names[s->type]);
			return 0;
		}
		apply(s);
		atomic_store(&journal->done, t);
		if (promises_durability(s))
			atomic_store(&journal->durable, t);
	}
	errx(1, "%s: nobody stopped me", path);
}

/* ---- Judging ---- */

struct seen {
	char kind;
	bool is_wrong; /* not the front of one stream */
	uint32_t id, len, mode;
};

static struct seen seen[NAMES_MAX];

static void
look_at_file(int dir, const char *name, struct seen *s)
{
	static uint8_t want[sizeof(buffer)];
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n = 0;
	char id[9] = "";

	if (fd < 0)
		err(1, "%s", name);
	while ((n = read(fd, buffer + s->len, sizeof(buffer) - s->len)) > 0)
		s->len += (uint32_t)n;
	if (n < 0)
		err(1, "%s: read", name);
	close(fd);
	memcpy(id, buffer, s->len < 8 ? s->len : 8);
	s->id = (uint32_t)strtoul(id, NULL, 16);
	fill(want, s->id, 0, s->len);
	s->is_wrong = s->len >= 8 && memcmp(buffer, want, s->len) != 0;
}

static void
look(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	struct stat st;
	char name[16];

	if (d == NULL)
		err(1, "%s", path);
	while ((e = readdir(d)) != NULL) {
		unsigned long i;

		if (e->d_name[0] == '.')
			continue;
		i = strcmp(e->d_name, "temp") == 0 ?
		    TEMP :
		    strcmp(e->d_name, "log") == 0 ?
		    LOG :
		    strtoul(e->d_name + 1, NULL, 10);
		if (i < NAMES_MAX)
			name_of((uint32_t)i, name);
		if (i >= NAMES_MAX || strcmp(name, e->d_name) != 0)
			errx(1, "%s/%s: nobody made it", path, e->d_name);
		if (fstatat(dirfd(d), e->d_name, &st, 0) != 0)
			err(1, "%s/%s", path, e->d_name);
		seen[i].kind = S_ISDIR(st.st_mode) ? 'd' : 'f';
		seen[i].mode = st.st_mode & 0777;
		if (S_ISDIR(st.st_mode))
			continue;
		look_at_file(dirfd(d), e->d_name, &seen[i]);
		if (st.st_size != seen[i].len)
			errx(1, "%s/%s: %lld bytes, of which %u can be read",
			    path, e->d_name, (long long)st.st_size,
			    seen[i].len);
	}
	closedir(d);
}

static bool
is_as_seen(uint32_t i)
{
	const struct seen *s = &seen[i];
	const struct file *f = &files[names[i].file];
	char id[9], have[9];
	unsigned n = s->len < 8 ? s->len : 8;

	if (s->kind != names[i].kind)
		return false;
	if (s->kind != 'f')
		return true;
	if (s->is_wrong || s->len < f->min || s->len > f->max ||
	    s->mode != f->mode)
		return false;
	if (n == 8)
		return s->id == f->id;
	/* Too short to say whose it is. */
	sprintf(id, "%08x", f->id);
	sprintf(have, "%0*x", n > 0 ? (int)n : 1, s->id);
	return n == 0 || memcmp(id, have, n) == 0;
}

static unsigned
differences(FILE *out)
{
	unsigned n = 0;
	char name[16];

	for (uint32_t i = 0; i < name_count; i++) {
		const struct file *f = &files[names[i].file];

		if (is_as_seen(i))
			continue;
		n++;
		if (out == NULL)
			continue;
		name_of(i, name);
		fprintf(out, "  %s: ", name);
		if (names[i].kind == 'f')
			fprintf(out, "file %u, %u to %u bytes, mode %o", f->id,
			    f->min, f->max, f->mode);
		else
			fprintf(out, "%s",
			    names[i].kind ? "directory" : "none");
		fprintf(out, "; found: ");
		if (seen[i].kind == 'f')
			fprintf(out, "file %u, %u bytes, mode %o%s\n",
			    seen[i].id, seen[i].len, seen[i].mode,
			    seen[i].is_wrong ? ", wrong bytes" : "");
		else
			fprintf(out, "%s\n",
			    seen[i].kind ? "directory" : "none");
	}
	return n;
}

static uint64_t
start_over(void)
{
	memset(names, 0, sizeof(names));
	name_count = FIRST_NEW;
	file_count = live_count = step_count = step_next = 0;
	/* Runs of seeds share it, so that the writers of a round do. */
	fsync_rarity = 8u << 2 * (journal->seed / 10 % 4);
	rng = journal->seed * 0x9e3779b97f4a7c15u | 1;
	return 0;
}

/* Go on to step t; returns how many of the steps were commits. */
static unsigned
replay(uint64_t from, uint64_t t)
{
	unsigned commits = 0;

	while (from++ < t) {
		const struct step *s = next_step();

		commits += is_commit(s);
		apply(s);
	}
	return commits;
}

static int
verify_history(const char *path)
{
	uint64_t done = atomic_load(&journal->done);
	uint64_t durable = atomic_load(&journal->durable);
	uint64_t t = start_over(), found = 0, best_t = durable;
	unsigned n, best = UINT32_MAX;

	look(path);
	replay(t, durable);
	for (t = durable; t <= done + 1; t++) {
		if (t > durable)
			replay(t - 1, t);
		n = differences(NULL);
		if (n < best) {
			best = n;
			best_t = t;
		}
		if (n == 0)
			found = t;
	}
	/* Names that were seen and that no step up to here has made. */
	for (uint32_t i = name_count; i < NAMES_MAX; i++)
		if (seen[i].kind != 0)
			errx(1,
			    "%s: name %u: made by a step that was never "
			    "reached",
			    path, i);
	t = start_over();
	if (best != 0) {
		replay(t, best_t);
		fprintf(stderr,
		    "%s: like no step from %llu (durable) to %llu (last); "
		    "nearest is %llu, where these differ:\n",
		    path, (unsigned long long)durable, (unsigned long long)done,
		    (unsigned long long)best_t);
		differences(stderr);
		return 1;
	}
	replay(t, found);
	printf("%llu %llu %llu %u\n", (unsigned long long)durable,
	    (unsigned long long)found, (unsigned long long)done,
	    found < done ? replay(found, done) : 0);
	return 0;
}

static void
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

int
main(int argc, char **argv)
{
	umask(0);
	if (argc == 7 && strcmp(argv[1], "write") == 0) {
		journal_open(argv[3], true);
		journal->seed = strtoull(argv[4], NULL, 10);
		journal->is_full = strcmp(argv[5], "full") == 0;
		journal->is_lazy = strcmp(argv[6], "lazy") == 0;
		start_over();
		return write_history(argv[2]);
	}
	if (argc == 4 && strcmp(argv[1], "verify") == 0) {
		journal_open(argv[3], false);
		return verify_history(argv[2]);
	}
	errx(2,
	    "usage: history write DIR JOURNAL SEED full|some close|lazy | "
	    "history verify DIR JOURNAL");
}
