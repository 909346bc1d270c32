/* SPDX-License-Identifier: ISC */
/* Remounting; see remount.h. */
#include "fuse/mount/remount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fuse/mount/mountpoint.h"
#include "fuse/options/option_table.h"
#include "util/buf.h"
#include "util/log.h"

/* The kernel's flags, by their names in the mount table. */
static const struct flag {
	const char *name;
	unsigned long set, clear;
} flags[] = {
	{ "ro", MS_RDONLY, 0 },
	{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },
	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },
	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },
	{ "exec", 0, MS_NOEXEC },
};
#define NFLAGS (sizeof(flags) / sizeof(flags[0]))

/* Other names in the mount table, which are ignored. */
static const char *const shown[] = { "remount", "user_id", "group_id",
	"rootmode", "max_read", "blksize" };
#define NSHOWN (sizeof(shown) / sizeof(shown[0]))

struct change {
	unsigned long flags;
	bool has_flags;
	struct buf live; /* "name=value," each */
};

static bool
is_name(const char *one, const char *name)
{
	size_t len = strlen(name);

	return strncmp(one, name, len) == 0 &&
	    (one[len] == '=' || one[len] == '\0');
}

/* Is the option in force already? */
static bool
is_in_force(const char *path, const char *one)
{
	char file[4200], line[256];
	bool found = false;
	FILE *f;

	snprintf(file, sizeof(file), "%s/.kvfs/options", path);
	f = fopen(file, "re");
	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strcmp(line, one) == 0;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

static int
take_option(struct change *c, const char *path, const char *one)
{
	for (size_t i = 0; i < NFLAGS; i++) {
		if (strcmp(one, flags[i].name) == 0) {
			c->flags = (c->flags & ~flags[i].clear) | flags[i].set;
			c->has_flags = true;
			return 0;
		}
	}
	for (size_t i = 0; i < NSHOWN; i++)
		if (is_name(one, shown[i]))
			return 0;
	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!is_name(one, spec->name))
			continue;
		if ((spec->flags & OPTION_LIVE) != 0) {
			buf_append(&c->live, one, strlen(one));
			buf_put_u8(&c->live, ',');
			return buf_error(&c->live);
		}
		if (strchr(one, '=') == NULL || spec->help == NULL ||
		    is_in_force(path, one))
			return 0;
		log_error("%s: cannot change while mounted: unmount, and "
			  "mount with it",
		    one);
		return -EINVAL;
	}
	if (strncasecmp(one, "x-", 2) == 0)
		return 0;
	log_error("-o %s: unknown option: see kvfs --help", one);
	return -EINVAL;
}

static int
write_live(const char *path, const struct buf *live)
{
	char file[4200];
	ssize_t n = -1;
	int err = 0, fd;

	snprintf(file, sizeof(file), "%s/.kvfs/options", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		n = write(fd, live->data, live->len);
	if (n < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	if (err != 0)
		log_error("%s: %s: see kvfs(1) for the values", file,
		    strerror(err));
	return -err;
}

/* The flags in force, as flags of mount(2). */
static unsigned long
flags_of(const struct statvfs *st)
{
	static const struct {
		unsigned long shown, flag;
	} map[] = {
		{ ST_RDONLY, MS_RDONLY },
		{ ST_NOSUID, MS_NOSUID },
		{ ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC },
		{ ST_NOATIME, MS_NOATIME },
		{ ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
		{ ST_SYNCHRONOUS, MS_SYNCHRONOUS },
	};
	unsigned long now = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if ((st->f_flag & map[i].shown) != 0)
			now |= map[i].flag;
	return now;
}

static int
set_flags(const char *path, const struct change *c, const struct statvfs *st)
{
	int err;

	if (!c->has_flags || c->flags == flags_of(st) ||
	    mount(NULL, path, NULL, MS_REMOUNT | c->flags, NULL) == 0)
		return 0;
	err = errno;
	log_error("%s: cannot remount: %s", path, strerror(err));
	return -err;
}

int
remount_apply(const char *path, const char *list)
{
	struct change c = { 0 };
	char *copy = strdup(list), *save = NULL;
	struct statvfs st;
	dev_t dev;
	int rc = 0;

	if (copy == NULL)
		return -ENOMEM;
	if (!mountpoint_answers(path, &dev) || statvfs(path, &st) < 0) {
		log_error("%s: no kvfs is mounted there", path);
		rc = -ENOENT;
		goto out;
	}
	c.flags = flags_of(&st);
	for (char *one = strtok_r(copy, ",", &save); one != NULL && rc == 0;
	     one = strtok_r(NULL, ",", &save))
		rc = take_option(&c, path, one);
	/* The file "options" can be written while the mount is not
	 * read-only. */
	if (rc == 0 && (c.flags & MS_RDONLY) == 0)
		rc = set_flags(path, &c, &st);
	if (rc == 0 && c.live.len != 0)
		rc = write_live(path, &c.live);
	if (rc == 0 && (c.flags & MS_RDONLY) != 0)
		rc = set_flags(path, &c, &st);
out:
	buf_fini(&c.live);
	free(copy);
	return rc;
}
