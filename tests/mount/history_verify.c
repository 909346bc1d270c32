/* SPDX-License-Identifier: ISC */
/*
 * Judge whether a directory is as its history (history.h) left it at some
 * moment.
 *
 *   history_verify DIR JOURNAL
 *
 * Demands the exact state after a step between the last durable one and the
 * one that was under way: every name, mode, link and byte is right, nothing
 * of a later step is there when an earlier one is missing, a file replaced
 * by rename is whole. Prints the last durable step, the one found, the last
 * that returned, and how many commits between those two are lost.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "history.h"

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

static bool
is_commit(const struct step *s)
{
	return s->type == CREATE || (s->type >= RENAME && s->type <= CHMOD);
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
	uint64_t t, found = 0, best_t = durable;
	unsigned n, best = UINT32_MAX;

	look(path);
	start_over();
	replay(0, durable);
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
	start_over();
	if (best != 0) {
		replay(0, best_t);
		fprintf(stderr,
		    "%s: like no step from %llu (durable) to %llu (last); "
		    "nearest is %llu, where these differ:\n",
		    path, (unsigned long long)durable, (unsigned long long)done,
		    (unsigned long long)best_t);
		differences(stderr);
		return 1;
	}
	replay(0, found);
	printf("%llu %llu %llu %u\n", (unsigned long long)durable,
	    (unsigned long long)found, (unsigned long long)done,
	    found < done ? replay(found, done) : 0);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: history_verify DIR JOURNAL");
	journal_open(argv[2], false);
	return verify_history(argv[1]);
}
