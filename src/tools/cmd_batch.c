/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl batch: many puts and deletions, as text from standard input:
 *
 *	put KEY LENGTH		a line, then LENGTH bytes, and a line break
 *	del KEY
 *
 * KEY is all between the words around it, blanks too.
 */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/lane_client.h"

struct batch {
	struct lane_client lane;
	struct lane_entry entry;
	char *line; /* without its end */
	size_t cap, len;
	uint64_t at, next; /* numbers of this line, and of the next one */
	int end; /* what ends a line */
	char piece[LANE_DATA_MAX];
};

static void
print_failed(const struct lane_result *r)
{
	warnx("line %" PRIu64 ": %.*s: %s", r->tag, (int)r->path.len,
	    (const char *)r->path.data, lane_client_reason(r->rc));
}

/* The text is wrong, and what follows cannot be told apart. */
static int
batch_misread(const struct batch *b, const char *why)
{
	warnx("line %" PRIu64 ": %s", b->at, why);
	return -EINVAL;
}

static uint64_t
count_breaks(const char *p, size_t len)
{
	const char *end = p + len;
	uint64_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		n++;
	}
	return n;
}

/* The next line: 1, 0 at the end, or -EIO. */
static int
next_line(struct batch *b)
{
	ssize_t n = getdelim(&b->line, &b->cap, b->end, stdin);

	b->at = b->next;
	if (n < 0) {
		if (!ferror(stdin))
			return 0;
		warn("standard input");
		return -EIO;
	}
	b->next += count_breaks(b->line, (size_t)n);
	if (n > 0 && b->line[n - 1] == b->end)
		n--;
	b->line[n] = '\0';
	b->len = (size_t)n;
	return 1;
}

/* The key in text, as a path of the lane. */
static int
take_key(struct batch *b, char *text, struct slice *keyp)
{
	char *dst = text;
	const char *p = text, *name;
	size_t n;

	if (strlen(text) != (size_t)(b->line + b->len - text))
		return batch_misread(b, "the key has a NUL in it");
	if (key_check(text) < 0 || text[strspn(text, "/")] == '\0')
		return batch_misread(b, "not a key");
	while ((n = key_component(&p, &name)) != 0) {
		if (dst != text)
			*dst++ = '/';
		memmove(dst, name, n);
		dst += n;
	}
	*keyp = slice_make(text, (size_t)(dst - text));
	return 0;
}

static int
send_value(struct batch *b, uint64_t len)
{
	struct buf *out = &b->lane.stream.out;
	uint64_t off = 0;
	size_t n;
	int rc = 0;

	while (rc == 0 && off < len) {
		n = len - off < sizeof(b->piece) ? (size_t)(len - off) :
						   sizeof(b->piece);
		if (fread(b->piece, 1, n, stdin) != n)
			return batch_misread(b, "the value ends too early");
		b->next += count_breaks(b->piece, n);
		rc = lane_put_data(out, off, slice_make(b->piece, n));
		if (rc == 0)
			rc = lane_client_send(&b->lane);
		off += n;
	}
	if (rc == 0 && getc(stdin) != b->end)
		return batch_misread(b,
		    "the value does not end where its "
		    "length says");
	b->next += b->end == '\n';
	return rc == 0 ? lane_put_end_file(out, len, true) : rc;
}

static int
batch_put(struct batch *b, char *text, mode_t mode)
{
	struct fs_bulk_entry *e = &b->entry.e;
	char *last = strrchr(text, ' '), *end = NULL;
	unsigned long long len = 0;
	int rc;

	errno = 0;
	if (last != NULL)
		len = strtoull(last + 1, &end, 10);
	if (last == NULL || last == text || last[1] < '0' || last[1] > '9' ||
	    end != b->line + b->len || errno != 0)
		return batch_misread(b, "not \"put KEY LENGTH\"");
	*last = '\0';
	b->len = (size_t)(last - b->line);
	*e = (struct fs_bulk_entry){
		.tag = b->at,
		.mode = S_IFREG | mode,
		.is_value = true,
	};
	rc = take_key(b, text, &e->path);
	if (rc == 0)
		rc = lane_put_entry(&b->lane.stream.out, &b->entry);
	return rc < 0 ? rc : send_value(b, len);
}

static int
batch_del(struct batch *b, char *text)
{
	struct slice key;
	int rc = take_key(b, text, &key);

	return rc < 0 ?
	    rc :
	    lane_put_path(&b->lane.stream.out, LANE_REMOVE, key, b->at);
}

static int
batch_line(struct batch *b, mode_t mode)
{
	if (b->len == 0)
		return 0;
	if (strncmp(b->line, "put ", 4) == 0)
		return batch_put(b, b->line + 4, mode);
	if (strncmp(b->line, "del ", 4) == 0)
		return batch_del(b, b->line + 4);
	return batch_misread(b, "neither \"put KEY LENGTH\" nor \"del KEY\"");
}

/* What was read before a wrong line is done, unless all is one step. */
static int
batch_all(struct batch *b, mode_t mode, bool is_atomic)
{
	int rc = 0, status = 0;

	while (rc == 0 && (rc = next_line(b)) == 1) {
		rc = batch_line(b, mode);
		if (rc == -EINVAL || rc == -EIO)
			break;
		if (rc == 0)
			rc = lane_client_send(&b->lane);
		if (rc < 0)
			return lane_client_report(&b->lane, rc);
	}
	if (rc < 0) {
		status = 1;
		if (is_atomic)
			return status;
	}
	rc = lane_put_end_file(&b->lane.stream.out, 0, false);
	if (rc == 0)
		rc = lane_client_commit(&b->lane);
	if (rc < 0)
		return lane_client_report(&b->lane, rc);
	return b->lane.failures != 0 ? 1 : status;
}

static int
batch_run(const struct command *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "atomic", no_argument, NULL, 'a' },
		{ 0 },
	};
	struct lane_hello h = { .work = LANE_LOAD };
	static struct batch b;
	struct target *t;
	int o, status;

	b = (struct batch){ .next = 1, .end = '\n' };
	b.lane.print_failed = print_failed;
	while ((o = getopt_long(argc, argv, "+0ap", longs, NULL)) != -1) {
		if (o == '0')
			b.end = '\0';
		else if (o == 'a')
			h.flags |= FS_BULK_ATOMIC;
		else if (o == 'p')
			h.flags |= FS_BULK_PARENTS;
		else
			return command_misuse(cmd);
	}
	if (argc - optind != 1)
		return command_misuse(cmd);
	h.umask = umask(0);
	(void)umask((mode_t)h.umask);
	if (command_open(argv[optind], TARGET_WRITE, &t) != 0)
		return 1;
	status = lane_client_open(&b.lane, argv[optind], t, &h);
	if (status == 0)
		status = batch_all(&b, 0666 & ~(mode_t)h.umask,
		    (h.flags & FS_BULK_ATOMIC) != 0);
	lane_client_close(&b.lane);
	free(b.line);
	return command_close(t, status);
}

const struct command cmd_batch = {
	.name = "batch",
	.summary = "do many puts and deletions, from standard input",
	.usage = "batch [-0ap] STORE|MOUNTPOINT <TEXT\n"
		 "  -0  lines end in NUL, not in a line break\n"
		 "  -a  or --atomic: all of it in one step, or nothing\n"
		 "  -p  make the directories above a key that are missing",
	.run = batch_run,
};
