/* SPDX-License-Identifier: ISC */
/* See key_lookup.h. */
#include "tools/key_lookup.h"

#include <errno.h>
#include <sys/stat.h>

#include "tools/key_path.h"

void
key_forget(struct fs *fs, uint64_t ino)
{
	if (ino != FS_ROOT_INO)
		fs_forget(fs, ino, 1);
}

int
key_lookup(struct fs *fs, const char *key, size_t len, struct fs_attr *attr)
{
	const char *end = key + len, *name;
	uint64_t parent;
	size_t n;
	int rc = fs_getattr(fs, FS_ROOT_INO, attr);

	while (rc == 0) {
		n = key_component(&key, &name);
		if (n == 0 || name >= end)
			return 0;
		parent = attr->ino;
		rc = S_ISLNK(attr->mode) ?
		    -ELOOP :
		    !S_ISDIR(attr->mode) ?
		    -ENOTDIR :
		    fs_lookup(fs, parent, slice_make(name, n), attr);
		key_forget(fs, parent);
	}
	return rc;
}

int
key_lookup_parent(struct fs *fs, const char *key, uint64_t *parentp,
    struct slice *namep)
{
	const char *p = key, *name, *last = NULL;
	struct fs_attr attr;
	size_t n, len = 0;
	int rc;

	while ((n = key_component(&p, &name)) > 0) {
		last = name;
		len = n;
	}
	if (last == NULL)
		return -EBUSY; /* the root itself */
	*namep = slice_make(last, len);
	rc = key_lookup(fs, key, (size_t)(last - key), &attr);
	if (rc < 0)
		return rc;
	if (!S_ISDIR(attr.mode)) {
		key_forget(fs, attr.ino);
		return S_ISLNK(attr.mode) ? -ELOOP : -ENOTDIR;
	}
	*parentp = attr.ino;
	return 0;
}
