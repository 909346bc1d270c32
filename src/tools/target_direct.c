/* SPDX-License-Identifier: ISC */
/*
 * A store that is not mounted: the engine and the file system run in this
 * process for the length of one command. What is created belongs to the
 * caller; permissions are those of the store's directory, since whoever can
 * open it can read everything.
 */
#include "tools/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/fs.h"
#include "kvfs/kv.h"

struct target_direct {
	struct target base;
	struct kv *kv;
	struct fs *fs;
	struct fs_cred cred;
	mode_t umask;
	struct kv_backup *backup;
	char dir[PATH_MAX];
};

static struct fs *
fs_of(struct target *t)
{
	return ((struct target_direct *)t)->fs;
}

static void
forget(struct target *t, uint64_t ino)
{
	if (ino != FS_ROOT_INO)
		fs_forget(fs_of(t), ino, 1);
}

/* The inode of the first len bytes of key; the caller forgets it. */
static int
resolve(struct target *t, const char *key, size_t len, struct fs_attr *attr)
{
	const char *end = key + len, *name;
	struct fs *fs = fs_of(t);
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
		forget(t, parent);
	}
	return rc;
}

/* The directory that holds key, and its last component. */
static int
resolve_parent(struct target *t, const char *key, uint64_t *parentp,
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
	rc = resolve(t, key, (size_t)(last - key), &attr);
	if (rc < 0)
		return rc;
	if (!S_ISDIR(attr.mode)) {
		forget(t, attr.ino);
		return S_ISLNK(attr.mode) ? -ELOOP : -ENOTDIR;
	}
	*parentp = attr.ino;
	return 0;
}

static int
direct_stat(struct target *t, const char *key, struct stat *stp)
{
	struct fs_attr attr;
	int rc = resolve(t, key, strlen(key), &attr);

	if (rc < 0)
		return rc;
	forget(t, attr.ino);
	*stp = (struct stat){
		.st_ino = attr.ino,
		.st_mode = attr.mode,
		.st_nlink = attr.nlink,
		.st_uid = attr.uid,
		.st_gid = attr.gid,
		.st_rdev = attr.rdev,
		.st_size = (off_t)attr.size,
		.st_blocks = (blkcnt_t)attr.blocks,
		.st_atim = attr.atime,
		.st_mtim = attr.mtime,
		.st_ctim = attr.ctime,
	};
	return 0;
}

struct listing {
	target_entry_fn fn;
	void *arg;
	int rc;
};

static bool
list_entry(void *arg, const struct fs_dirent *de)
{
	struct listing *l = arg;
	struct target_entry e = { .type = de->type };
	char name[FS_NAME_MAX + 1];

	if (de->name.len > FS_NAME_MAX) {
		l->rc = -KVFS_ECORRUPT;
		return false;
	}
	memcpy(name, de->name.data, de->name.len);
	name[de->name.len] = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	e.name = name;
	l->rc = l->fn(l->arg, &e);
	return l->rc >= 0;
}

static int
direct_list(struct target *t, const char *key, target_entry_fn fn, void *arg)
{
	struct listing l = { .fn = fn, .arg = arg };
	struct fs *fs = fs_of(t);
	struct fs_dir *dir = NULL;
	struct fs_attr attr;
	int rc = resolve(t, key, strlen(key), &attr);

	if (rc < 0)
		return rc;
	rc = S_ISDIR(attr.mode) ? fs_opendir(fs, attr.ino, &dir) : -ENOTDIR;
	if (rc == 0) {
		rc = fs_readdir(fs, dir, 0, false, list_entry, &l);
		if (l.rc < 0)
			rc = l.rc;
		fs_closedir(fs, dir);
	}
	forget(t, attr.ino);
	return rc < 0 ? rc : 0;
}

static int
direct_readlink(struct target *t, const char *key, char *buf, size_t len)
{
	struct buf link = { 0 };
	struct fs_attr attr;
	int rc = resolve(t, key, strlen(key), &attr);

	if (rc < 0)
		return rc;
	rc = S_ISLNK(attr.mode) ? fs_readlink(fs_of(t), attr.ino, &link) :
				  -EINVAL;
	if (rc >= 0)
		rc = buf_error(&link);
	if (rc == 0 && link.len >= len)
		rc = -ENAMETOOLONG;
	if (rc == 0) {
		memcpy(buf, link.data, link.len);
		buf[link.len] = '\0';
	}
	buf_fini(&link);
	forget(t, attr.ino);
	return rc;
}

/* The open holds the inode, so the lookup can be given back. */
static int
direct_open(struct target *t, const char *key, bool create, mode_t mode,
    struct target_file *f)
{
	struct target_direct *d = (struct target_direct *)t;
	struct fs_attr attr;
	struct slice name;
	uint64_t parent;
	int rc;

	if (create) {
		rc = resolve_parent(t, key, &parent, &name);
		if (rc < 0)
			return rc;
		rc = fs_create(d->fs, parent, name,
		    S_IFREG | (mode & ~d->umask), 0, &d->cred, &attr);
		forget(t, parent);
	} else {
		rc = resolve(t, key, strlen(key), &attr);
	}
	if (rc < 0)
		return rc;
	rc = S_ISREG(attr.mode) ? fs_openfile(d->fs, attr.ino, false) :
	    S_ISLNK(attr.mode)  ? -ELOOP :
	    S_ISDIR(attr.mode)  ? -EISDIR :
				  -EINVAL;
	forget(t, attr.ino);
	f->ino = attr.ino;
	return rc;
}

static ssize_t
direct_read(struct target *t, struct target_file *f, void *buf, size_t len,
    uint64_t off)
{
	struct fs_read r;
	size_t done = 0;
	int rc = fs_read(fs_of(t), f->ino, off, len, &r);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r.count; i++) {
		memcpy((char *)buf + done, r.pieces[i].data, r.pieces[i].len);
		done += r.pieces[i].len;
	}
	fs_read_done(&r);
	return (ssize_t)done;
}

static ssize_t
direct_write(struct target *t, struct target_file *f, const void *buf,
    size_t len, uint64_t off)
{
	return fs_write(fs_of(t), f->ino, off, slice_make(buf, len));
}

/* Attributes of one inode for another. */
static int
copy_xattrs(struct fs *fs, uint64_t from, uint64_t to)
{
	struct buf names = { 0 }, value = { 0 };
	int rc = fs_listxattr(fs, from, true, &names);
	size_t len;

	for (size_t at = 0; rc >= 0 && at < names.len; at += len + 1) {
		const char *name = (const char *)names.data + at;

		len = strlen(name);
		buf_clear(&value);
		rc = fs_getxattr(fs, from, slice_make(name, len), &value);
		if (rc >= 0)
			rc = fs_setxattr(fs, to, slice_make(name, len),
			    slice_make(value.data, value.len), 0);
	}
	buf_fini(&value);
	buf_fini(&names);
	return rc < 0 ? rc : 0;
}

static int
direct_copy_attributes(struct target *t, struct target_file *f, const char *key,
    const struct stat *like)
{
	struct target_direct *d = (struct target_direct *)t;
	struct fs_attr attr = {
		.mode = like->st_mode & 07777,
		.uid = like->st_uid,
		.gid = like->st_gid,
	};
	struct fs_attr old, result;
	unsigned owner = d->cred.uid == 0 ? FS_SET_UID | FS_SET_GID : 0;
	int rc;

	rc = resolve(t, key, strlen(key), &old);
	if (rc < 0)
		return rc;
	rc = copy_xattrs(d->fs, old.ino, f->ino);
	forget(t, old.ino);
	/* Two steps: a change of the owner drops set-id bits. */
	if (rc == 0 && owner != 0)
		rc = fs_setattr(d->fs, f->ino, &attr, owner, &result);
	if (rc < 0)
		return rc;
	return fs_setattr(d->fs, f->ino, &attr, FS_SET_MODE, &result);
}

static int
direct_close_file(struct target *t, struct target_file *f)
{
	int rc = fs_flush(fs_of(t), f->ino);

	fs_release(fs_of(t), f->ino);
	return rc;
}

static int
direct_mkdir(struct target *t, const char *key)
{
	struct target_direct *d = (struct target_direct *)t;
	struct fs_attr attr;
	struct slice name;
	uint64_t parent;
	int rc = resolve_parent(t, key, &parent, &name);

	if (rc < 0)
		return rc;
	rc = fs_create(d->fs, parent, name, S_IFDIR | (0777 & ~d->umask), 0,
	    &d->cred, &attr);
	if (rc == 0)
		forget(t, attr.ino);
	forget(t, parent);
	return rc;
}

static int
direct_remove(struct target *t, const char *key, bool directory)
{
	struct slice name;
	uint64_t parent;
	int rc = resolve_parent(t, key, &parent, &name);

	if (rc < 0)
		return rc;
	rc = directory ? fs_rmdir(fs_of(t), parent, name) :
			 fs_unlink(fs_of(t), parent, name);
	forget(t, parent);
	return rc;
}

static int
direct_rename(struct target *t, const char *from, const char *to)
{
	uint64_t from_parent, to_parent;
	struct slice from_name, to_name;
	int rc = resolve_parent(t, from, &from_parent, &from_name);

	if (rc < 0)
		return rc;
	rc = resolve_parent(t, to, &to_parent, &to_name);
	if (rc == 0) {
		rc = fs_rename(fs_of(t), from_parent, from_name, to_parent,
		    to_name, 0);
		forget(t, to_parent);
	}
	forget(t, from_parent);
	return rc;
}

static int
direct_check(struct target_direct *d, FILE *out)
{
	int damaged = kv_control(d->kv, "check-tables", out), problems;

	if (damaged < 0)
		return damaged;
	problems = fs_verify(d->kv, out);
	return problems < 0 ? problems : damaged + problems;
}

static int
direct_report(struct target_direct *d, const char *command,
    enum report_format format, FILE *out)
{
	struct report r;
	int rc = kv_control(d->kv, command, out);

	report_init(&r, out, format);
	fs_report(d->fs, &r);
	return rc;
}

static int
direct_control(struct target *t, const char *command, FILE *out)
{
	struct target_direct *d = (struct target_direct *)t;
	int rc;

	if (strcmp(command, "check") == 0)
		return direct_check(d, out);
	if (strcmp(command, "stats") == 0)
		return direct_report(d, command, REPORT_TEXT, out);
	if (strcmp(command, "metrics") == 0)
		return direct_report(d, command, REPORT_PROMETHEUS, out);
	if (strncmp(command, "set ", 4) == 0 ||
	    strcmp(command, "end backups") == 0)
		return -ENOTSUP;
	rc = fs_sync(d->fs);
	if (rc < 0 || strcmp(command, "sync") == 0)
		return rc;
	return kv_control(d->kv, command, out);
}

static int
direct_backup_begin(struct target *t)
{
	struct target_direct *d = (struct target_direct *)t;

	return kv_backup_open(d->kv, &d->backup);
}

static ssize_t
direct_backup_read(struct target *t, void *buf, size_t len, uint64_t off)
{
	return kv_backup_read(((struct target_direct *)t)->backup, buf, len,
	    off);
}

static void
direct_backup_end(struct target *t)
{
	struct target_direct *d = (struct target_direct *)t;

	kv_backup_close(d->backup);
	d->backup = NULL;
}

static int
direct_store_dir(struct target *t, char dir[PATH_MAX])
{
	strlcpy(dir, ((struct target_direct *)t)->dir, PATH_MAX);
	return 0;
}

static int
direct_close(struct target *t)
{
	struct target_direct *d = (struct target_direct *)t;
	int rc = fs_close(d->fs), rc2 = kv_close(d->kv);

	free(d);
	return rc < 0 ? rc : rc2;
}

static const struct target_ops direct_ops = {
	.stat = direct_stat,
	.list = direct_list,
	.readlink = direct_readlink,
	.open = direct_open,
	.read = direct_read,
	.write = direct_write,
	.copy_attributes = direct_copy_attributes,
	.close_file = direct_close_file,
	.mkdir = direct_mkdir,
	.remove = direct_remove,
	.rename = direct_rename,
	.control = direct_control,
	.backup_begin = direct_backup_begin,
	.backup_read = direct_backup_read,
	.backup_end = direct_backup_end,
	.store_dir = direct_store_dir,
	.close = direct_close,
};

int
target_open_direct(const char *store, enum target_use use, struct target **tp)
{
	struct target_direct *d = calloc(1, sizeof(*d));
	struct kv_options kv_opts;
	struct fs_options fs_opts;
	int rc;

	if (d == NULL)
		return -ENOMEM;
	d->base.ops = &direct_ops;
	strlcpy(d->dir, store, sizeof(d->dir));
	d->cred.uid = geteuid();
	d->cred.gid = getegid();
	d->umask = umask(0);
	umask(d->umask);
	kv_options_init(&kv_opts);
	kv_opts.create = false;
	kv_opts.read_only = use == TARGET_READ;
	kv_opts.owner = "kvfsctl";
	/* What the next mount wants to find is not ours to say. */
	kv_opts.warm_up = false;
	fs_options_init(&fs_opts);
	fs_opts.flush_on_close = true;
	fs_opts.read_only = kv_opts.read_only;
	/* Both have logged what is wrong when they fail. */
	rc = kv_open(store, &kv_opts, &d->kv);
	if (rc == 0)
		rc = fs_open(d->kv, &fs_opts, &d->fs);
	if (rc < 0) {
		kv_close(d->kv);
		free(d);
		return rc;
	}
	*tp = &d->base;
	return 0;
}
