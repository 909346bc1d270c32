/* SPDX-License-Identifier: ISC */
/*
 * A store that is not mounted: the engine and the file system run in this
 * process during one command. The caller owns what is created. Only the
 * permissions of the store's directory count, since a user who can open the
 * store can read all of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/fs.h"
#include "kvfs/store.h"
#include "lane/lane_serve.h"
#include "tools/direct_control.h"
#include "tools/key_attributes.h"
#include "tools/key_lookup.h"
#include "tools/target_ops.h"
#include "util/thread.h"

struct target_direct {
	struct target base;
	struct kv *kv;
	struct fs *fs;
	struct fs_cred cred;
	mode_t umask;
	struct kv_backup *backup;
	struct lane_server lane; /* served by a thread, if fs is set */
	pthread_t lane_thread;
	char dir[PATH_MAX];
};

static struct fs *
fs_of(struct target *t)
{
	return ((struct target_direct *)t)->fs;
}

static int
direct_stat(struct target *t, const char *key, struct stat *stp)
{
	return key_stat(fs_of(t), key, stp);
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
	int rc = key_lookup(fs_of(t), key, strlen(key), &attr);

	if (rc < 0)
		return rc;
	rc = S_ISDIR(attr.mode) ? fs_opendir(fs, attr.ino, &dir) : -ENOTDIR;
	if (rc == 0) {
		rc = fs_readdir(fs, dir, 0, false, list_entry, &l);
		if (l.rc < 0)
			rc = l.rc;
		fs_closedir(fs, dir);
	}
	key_forget(fs_of(t), attr.ino);
	return rc < 0 ? rc : 0;
}

static int
direct_readlink(struct target *t, const char *key, char *buf, size_t len)
{
	struct buf link = { 0 };
	struct fs_attr attr;
	int rc = key_lookup(fs_of(t), key, strlen(key), &attr);

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
	key_forget(fs_of(t), attr.ino);
	return rc;
}

/* The open keeps the inode live, so the lookup is given back at once. */
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
		rc = key_lookup_parent(fs_of(t), key, &parent, &name);
		if (rc < 0)
			return rc;
		rc = fs_create(d->fs, parent, name,
		    S_IFREG | (mode & ~d->umask), 0, &d->cred, &attr);
		key_forget(fs_of(t), parent);
	} else {
		rc = key_lookup(fs_of(t), key, strlen(key), &attr);
	}
	if (rc < 0)
		return rc;
	rc = S_ISREG(attr.mode) ? fs_openfile(d->fs, attr.ino, false) :
	    S_ISLNK(attr.mode)  ? -ELOOP :
	    S_ISDIR(attr.mode)  ? -EISDIR :
				  -EINVAL;
	key_forget(fs_of(t), attr.ino);
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

static int
direct_copy_attributes(struct target *t, struct target_file *f, const char *key,
    const struct stat *like)
{
	struct target_direct *d = (struct target_direct *)t;

	return key_copy_attributes(d->fs, key, f->ino, like, d->cred.uid == 0);
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
	int rc = key_lookup_parent(fs_of(t), key, &parent, &name);

	if (rc < 0)
		return rc;
	rc = fs_create(d->fs, parent, name, S_IFDIR | (0777 & ~d->umask), 0,
	    &d->cred, &attr);
	if (rc == 0)
		key_forget(fs_of(t), attr.ino);
	key_forget(fs_of(t), parent);
	return rc;
}

static int
direct_remove(struct target *t, const char *key, bool directory)
{
	struct slice name;
	uint64_t parent;
	int rc = key_lookup_parent(fs_of(t), key, &parent, &name);

	if (rc < 0)
		return rc;
	rc = directory ? fs_rmdir(fs_of(t), parent, name) :
			 fs_unlink(fs_of(t), parent, name);
	key_forget(fs_of(t), parent);
	return rc;
}

static int
direct_rename(struct target *t, const char *from, const char *to)
{
	uint64_t from_parent, to_parent;
	struct slice from_name, to_name;
	int rc = key_lookup_parent(fs_of(t), from, &from_parent, &from_name);

	if (rc < 0)
		return rc;
	rc = key_lookup_parent(fs_of(t), to, &to_parent, &to_name);
	if (rc == 0) {
		rc = fs_rename(fs_of(t), from_parent, from_name, to_parent,
		    to_name, 0);
		key_forget(fs_of(t), to_parent);
	}
	key_forget(fs_of(t), from_parent);
	return rc;
}

static int
direct_control(struct target *t, const char *command, FILE *out)
{
	struct target_direct *d = (struct target_direct *)t;

	return direct_control_run(d->kv, d->fs, command, out);
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

static void *
direct_serve(void *arg)
{
	const struct lane_server *server = arg;

	lane_serve(server);
	(void)shutdown(server->fd, SHUT_RDWR);
	return NULL;
}

/* The same lane as that of a daemon, by a thread of this process. */
static int
direct_lane(struct target *t, bool reads, int *fdp)
{
	struct target_direct *d = (struct target_direct *)t;
	int fds[2], rc;

	(void)reads;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	d->lane = (struct lane_server){
		.fs = d->fs,
		.fd = fds[1],
		.uid = d->cred.uid,
		.gid = d->cred.gid,
		.batch_bytes = LANE_BATCH_BYTES,
	};
	rc = thread_start(&d->lane_thread, false, direct_serve, &d->lane);
	if (rc < 0) {
		close(fds[0]);
		close(fds[1]);
		d->lane.fs = NULL;
		return rc;
	}
	*fdp = fds[0];
	return 0;
}

static int
direct_close(struct target *t)
{
	struct target_direct *d = (struct target_direct *)t;
	int rc, rc2;

	if (d->lane.fs != NULL) {
		pthread_join(d->lane_thread, NULL);
		close(d->lane.fd);
	}
	rc = fs_close(d->fs);
	rc2 = kv_close(d->kv);
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
	.lane = direct_lane,
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
	/* Do not replace the list of hot blocks that the next mount reads. */
	kv_opts.warm_up = false;
	fs_options_init(&fs_opts);
	fs_opts.flush_on_close = true;
	fs_opts.acl = true;
	fs_opts.read_only = kv_opts.read_only;
	/* Both log a failure themselves. */
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
