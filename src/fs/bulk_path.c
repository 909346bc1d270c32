/* SPDX-License-Identifier: ISC */
/* Bulk changes: from paths to directories, which are made where they are
 * missing. */
#include "fs/bulk.h"

#include "fs/fs_state.h"
#include "fs/inode_lookup.h"

/* Why a component that is no directory cannot be gone through. */
static int
bulk_why_not(struct fs_bulk *b, const struct bulk_dir *dir, struct slice name,
    const struct bulk_name *n)
{
	struct inode *in;
	uint32_t type;
	int rc;

	if (n != NULL && n->kind == BULK_FILE)
		return S_ISLNK(n->in->rec.mode) ? -ELOOP : -ENOTDIR;
	if (n != NULL || dir->live == NULL)
		return -ENOENT;
	rc = inode_lookup(b->fs, dir->live, name, &in);
	if (rc < 0)
		return rc;
	type = in->type;
	inode_put(b->fs, in);
	return S_ISLNK(type) ? -ELOOP : -ENOTDIR;
}

/* The directory name in *dirp. */
static int
bulk_descend(struct fs_bulk *b, struct slice name, struct slice path,
    bool may_make, struct bulk_dir **dirp)
{
	const struct fs_bulk_entry e = {
		.path = path,
		.mode = S_IFDIR | (0777 & ~b->opts.cred.umask),
	};
	struct bulk_name *n;
	int rc = bulk_lookup(b, *dirp, name, &n);

	if (rc < 0)
		return rc;
	if (n == NULL || n->sub == NULL) {
		rc = bulk_why_not(b, *dirp, name, n);
		if (rc != -ENOENT || !may_make ||
		    (b->opts.flags & FS_BULK_PARENTS) == 0)
			return rc;
		if (n != NULL) /* its removal is staged */
			return -ENOTDIR;
		rc = bulk_make_dir(b, *dirp, name, &e, &n);
		if (rc < 0)
			return rc;
	}
	*dirp = n->sub;
	return 0;
}

int
bulk_parent(struct fs_bulk *b, struct slice path, bool may_make,
    struct bulk_dir **dirp, struct slice *namep)
{
	const char *p = path.data, *end = p + path.len, *slash;
	struct bulk_dir *dir;
	int rc = 0;

	*dirp = NULL;
	*namep = (struct slice){ 0 };
	if (path.len == 0)
		return 0;
	if (b->top == NULL) {
		inode_ref(b->base);
		b->top = bulk_live_dir(b, b->base);
	}
	dir = b->top;
	if (dir == NULL)
		return b->error;
	while (rc == 0) {
		slash = memchr(p, '/', (size_t)(end - p));
		*namep = slice_make(p, (size_t)((slash ? slash : end) - p));
		rc = name_check(*namep);
		if (rc < 0 || slash == NULL)
			break;
		rc = bulk_descend(b, *namep,
		    slice_make(path.data,
			(size_t)(slash - (const char *)path.data)),
		    may_make, &dir);
		p = slash + 1;
	}
	if (rc == 0)
		*dirp = dir;
	return rc;
}
