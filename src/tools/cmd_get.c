/* SPDX-License-Identifier: ISC */
/* kvfsctl get: write values to standard output, as they are. Many at once go
 * past the mount, by a lane. */
#include "tools/command.h"
#include "tools/lane_client.h"
#include "tools/value.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Keys that are asked for ahead, and their bytes: what a socket holds. */
#define AHEAD_MAX 64u
#define AHEAD_BYTES 32768u

struct get {
	struct lane_client lane;
	struct target *target;
	char **keys; /* those given, then NULL; or none: standard input */
	bool from_stdin, with_key, ends_in_nul;
	char *line;
	size_t cap;
	unsigned ahead; /* asked for, and not answered */
	size_t ahead_bytes;
	bool is_broken; /* standard output takes no more */
	int status;
};

/* The next key: NULL at the end. */
static const char *
next_key(struct get *g)
{
	ssize_t n;

	if (!g->from_stdin)
		return *g->keys != NULL ? *g->keys++ : NULL;
	n = getdelim(&g->line, &g->cap, '\0', stdin);
	if (n >= 0)
		return g->line;
	if (ferror(stdin)) {
		warn("standard input");
		g->status = 1;
	}
	return NULL;
}

static void
print_head(const struct get *g, struct slice key, uint64_t size)
{
	if (!g->with_key)
		return;
	fwrite(key.data, 1, key.len, stdout);
	if (g->ends_in_nul)
		printf("%c%" PRIu64 "%c", '\0', size, '\0');
	else
		printf("\t%" PRIu64 "\n", size);
}

/* ---- By a lane ---- */

static int
ask_for_key(struct get *g, const char *key)
{
	char path[KEY_MAX + 1];
	const char *p = key, *name;
	size_t n, len = 0;

	g->status |= key_check(key) < 0 ? command_failed(key, key_check(key)) :
					  0;
	if (key_check(key) < 0)
		return 0;
	while ((n = key_component(&p, &name)) != 0) {
		if (len != 0)
			path[len++] = '/';
		memcpy(path + len, name, n);
		len += n;
	}
	g->ahead++;
	g->ahead_bytes += len;
	return lane_put_path(&g->lane.stream.out, LANE_GET,
	    slice_make(path, len), 0);
}

/* Take one message of an answer. */
static int
take_answer(struct get *g, uint32_t type, struct slice m)
{
	static struct lane_entry entry;
	struct slice data;
	uint64_t off, size;
	bool is_whole;
	int rc;

	switch (type) {
	case LANE_ENTRY:
		rc = lane_get_entry(m, &entry);
		if (rc == 0)
			print_head(g, entry.e.path, entry.size);
		return rc;
	case LANE_RANGES:
		return 0;
	case LANE_DATA:
		rc = lane_get_data(m, &off, &data);
		g->is_broken = rc == 0 &&
		    fwrite(data.data, 1, data.len, stdout) != data.len;
		return rc;
	case LANE_END_FILE:
		rc = lane_get_end_file(m, &size, &is_whole);
		if (g->with_key && !g->ends_in_nul)
			putchar('\n');
		g->ahead--;
		return rc;
	case LANE_FAILED:
		g->ahead--;
		return 0;
	default:
		return -EPROTO;
	}
}

static int
get_by_lane(struct get *g)
{
	const char *key = next_key(g);
	struct slice m;
	uint32_t type;
	int rc = 0;

	while (rc == 0 && !g->is_broken && (key != NULL || g->ahead != 0)) {
		while (rc == 0 && key != NULL && g->ahead < AHEAD_MAX &&
		    (g->ahead == 0 || g->ahead_bytes < AHEAD_BYTES)) {
			rc = ask_for_key(g, key);
			key = next_key(g);
		}
		if (g->ahead == 0)
			continue;
		if (rc == 0)
			rc = lane_client_receive(&g->lane, &type, &m);
		if (rc == 0)
			rc = take_answer(g, type, m);
		if (g->ahead == 0)
			g->ahead_bytes = 0;
	}
	if (rc < 0)
		return lane_client_report(&g->lane, rc);
	return g->lane.failures != 0 ? 1 : g->status;
}

/* ---- As files ---- */

static int
get_by_files(struct get *g)
{
	const char *key;
	struct stat st;
	int rc;

	while ((key = next_key(g)) != NULL) {
		rc = key_check(key);
		if (rc == 0 && g->with_key)
			rc = target_stat(g->target, key, &st);
		if (rc == 0 && g->with_key && S_ISREG(st.st_mode))
			print_head(g, slice_str(key), (uint64_t)st.st_size);
		if (rc == 0)
			rc = value_copy_out(g->target, key, stdout);
		if (rc == 0 && g->with_key && !g->ends_in_nul)
			putchar('\n');
		if (rc < 0)
			g->status = command_failed(key, rc);
	}
	return g->status;
}

static int
get_run(const struct command *cmd, int argc, char **argv)
{
	const struct lane_hello h = { .work = LANE_READ };
	static struct get g;
	int o, status;

	while ((o = getopt(argc, argv, "+0v")) != -1) {
		if (o == '0')
			g.ends_in_nul = true;
		else if (o == 'v')
			g.with_key = true;
		else
			return command_misuse(cmd);
	}
	argc -= optind;
	argv += optind;
	g.from_stdin = argc == 1 && g.ends_in_nul;
	if (argc < 1 || (argc < 2 && !g.from_stdin))
		return command_misuse(cmd);
	g.keys = argv + 1;
	if (command_open(argv[0], TARGET_READ, &g.target) != 0)
		return 1;
	/* Who may not use the daemon's socket reads files. */
	if ((argc > 2 || g.from_stdin) &&
	    target_lane(g.target, true, &g.lane.fd) == 0) {
		status = lane_client_begin(&g.lane, argv[0], &h);
		g.lane.returns_failed = true;
		if (status == 0)
			status = get_by_lane(&g);
		lane_client_close(&g.lane);
	} else {
		status = get_by_files(&g);
	}
	free(g.line);
	return command_close(g.target, status);
}

const struct command cmd_get = {
	.name = "get",
	.summary = "write the values of keys to standard output",
	.usage =
	    "get [-0v] STORE|MOUNTPOINT KEY...\n"
	    "       kvfsctl get -0 [-v] STORE|MOUNTPOINT <KEYS\n"
	    "  -0  without KEY, take keys from standard input, each ending\n"
	    "      in NUL; with -v, NUL ends key and size\n"
	    "  -v  before each value its key, a tab, its size in bytes and a\n"
	    "      line break; and a line break after it",
	.run = get_run,
};
