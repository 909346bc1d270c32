/* SPDX-License-Identifier: ISC */
/*
 * Notifications that drop names; see drop_names.h. libfuse 3.14 does not
 * know the first two, so the messages are written here, laid out as in
 * <linux/fuse.h>. Errors are ignored: the kernel may have dropped the name
 * already.
 */
#include "fuse/drop_names.h"

#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/buf.h"

/* In <linux/fuse.h> since Linux 6.18. */
#define NOTIFY_PRUNE 9
#define MINOR_PRUNE 45u
struct notify_prune {
	uint32_t count, padding;
	uint64_t spare;
};

/* Since Linux 6.2: flags, in the padding of fuse_notify_inval_entry_out. */
#define MINOR_EXPIRE 38u
#define EXPIRE_ONLY 1u

static bool
send_message(const struct drop_names *d, int code, const void *head,
    size_t head_len, const void *body, size_t body_len)
{
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + head_len + body_len),
		.error = code,
	};
	struct iovec iov[3] = {
		{ &out, sizeof(out) },
		{ (void *)(uintptr_t)head, head_len },
		{ (void *)(uintptr_t)body, body_len },
	};

	return writev(d->fd, iov, body_len != 0 ? 3 : 2) == (ssize_t)out.len;
}

static bool
send_inodes(struct drop_names *d)
{
	struct notify_prune head = { .count = (uint32_t)d->count };
	size_t len = d->count * sizeof(*d->inodes);

	d->count = 0;
	return send_message(d, NOTIFY_PRUNE, &head, sizeof(head), d->inodes,
	    len);
}

static void
send_name(const struct drop_names *d, const struct fs_cold *cold,
    uint32_t flags)
{
	struct fuse_notify_inval_entry_out head = {
		.parent = cold->parent,
		.namelen = (uint32_t)cold->name.len,
	};
	char name[FS_NAME_MAX + 1];

	memcpy((char *)&head +
		offsetof(struct fuse_notify_inval_entry_out, namelen) +
		sizeof(head.namelen),
	    &flags, sizeof(flags));
	memcpy(name, cold->name.data, cold->name.len);
	name[cold->name.len] = '\0';
	(void)send_message(d, FUSE_NOTIFY_INVAL_ENTRY, &head, sizeof(head),
	    name, cold->name.len + 1);
}

/* The mount table as text, to free(3); NULL when it cannot be read. */
static char *
read_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *text = NULL;
	size_t cap = 0;

	if (f == NULL)
		return NULL;
	if (getdelim(&text, &cap, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

/* May something be mounted on a file of this name? The table holds paths,
 * in which some bytes are escaped: names with these count as mounted on. */
static bool
may_be_mounted(struct drop_names *d, struct slice name)
{
	char want[FS_NAME_MAX + 3] = "/";

	if (d->mounts == NULL)
		d->mounts = read_mounts();
	if (d->mounts == NULL || memchr(name.data, '\\', name.len) != NULL ||
	    memchr(name.data, ' ', name.len) != NULL ||
	    memchr(name.data, '\t', name.len) != NULL ||
	    memchr(name.data, '\n', name.len) != NULL)
		return true;
	memcpy(want + 1, name.data, name.len);
	want[name.len + 1] = ' ';
	want[name.len + 2] = '\0';
	return strstr(d->mounts, want) != NULL;
}

void
drop_names_init(struct drop_names *d, int fd, uint32_t minor)
{
	*d = (struct drop_names){ .fd = fd, .way = DROP_UNUSED };
	if (minor >= MINOR_PRUNE && send_inodes(d))
		return;
	d->way = minor >= MINOR_EXPIRE ? DROP_EXPIRED : DROP_FILES;
}

void
drop_names_add(struct drop_names *d, const struct fs_cold *cold)
{
	switch (d->way) {
	case DROP_UNUSED:
		d->inodes[d->count++] = cold->ino;
		if (d->count == DROP_MANY)
			(void)send_inodes(d);
		break;
	case DROP_EXPIRED:
		if (cold->name.len != 0)
			send_name(d, cold, EXPIRE_ONLY);
		break;
	case DROP_FILES:
		if (cold->name.len != 0 && !cold->is_dir &&
		    !may_be_mounted(d, cold->name))
			send_name(d, cold, 0);
		break;
	}
}

void
drop_names_end(struct drop_names *d)
{
	if (d->count != 0)
		(void)send_inodes(d);
	free(d->mounts);
	d->mounts = NULL;
}
