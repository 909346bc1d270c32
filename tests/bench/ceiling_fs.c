/* SPDX-License-Identifier: ISC */
/*
 * The ceiling: a FUSE daemon that keeps everything in memory and promises
 * nothing, with the settings that kvfs uses (long timeouts, negative
 * entries, pages kept over opens, readdirplus, a descriptor for each
 * thread). What it reaches is what FUSE allows here; what kvfs loses to it
 * is kvfs's own cost. For bench_mount.sh; runs in the foreground.
 *
 *   ceiling_fs MOUNTPOINT
 *
 * One lock for everything; replies that need no bytes are made outside it.
 */
#define FUSE_USE_VERSION 312
#include <err.h>
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/tree.h>
#include <time.h>
#include <unistd.h>

#define CACHE_SECONDS 86400.0

struct entry {
	RB_ENTRY(entry) by_name;
	RB_ENTRY(entry) by_cookie;
	struct node *node;
	off_t cookie; /* grows with each entry of a directory */
	char name[];
};
RB_HEAD(names, entry);
RB_HEAD(cookies, entry);

struct node {
	struct stat st;
	uint64_t lookups;
	char *data;
	size_t capacity;
	struct names names;
	struct cookies cookies;
	off_t next_cookie;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct node root;
static ino_t next_ino = FUSE_ROOT_ID + 1;

static int
name_cmp(const struct entry *a, const struct entry *b)
{
	return strcmp(a->name, b->name);
}

static int
cookie_cmp(const struct entry *a, const struct entry *b)
{
	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

RB_PROTOTYPE(names, entry, by_name, name_cmp)
RB_PROTOTYPE(cookies, entry, by_cookie, cookie_cmp)
RB_GENERATE(names, entry, by_name, name_cmp)
RB_GENERATE(cookies, entry, by_cookie, cookie_cmp)

static struct node *
node_of(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? &root : (struct node *)ino;
}

static struct entry *
entry_create(const char *name)
{
	struct entry *e = calloc(1, sizeof(*e) + strlen(name) + 1);

	if (e == NULL)
		err(1, "entry");
	strcpy(e->name, name);
	return e;
}

static struct entry *
entry_find(struct node *dir, const char *name)
{
	_Alignas(struct entry) char space[sizeof(struct entry) + 256];
	struct entry *probe = (struct entry *)space;

	if (strlcpy(probe->name, name, 256) >= 256)
		return NULL;
	return RB_FIND(names, &dir->names, probe);
}

static void
entry_insert(struct node *dir, struct entry *e)
{
	e->cookie = ++dir->next_cookie;
	RB_INSERT(names, &dir->names, e);
	RB_INSERT(cookies, &dir->cookies, e);
}

static void
entry_remove(struct node *dir, struct entry *e)
{
	RB_REMOVE(names, &dir->names, e);
	RB_REMOVE(cookies, &dir->cookies, e);
	free(e);
}

static void
node_init(struct node *n, mode_t mode, uid_t uid, gid_t gid, ino_t ino)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	n->st.st_mode = mode;
	n->st.st_nlink = S_ISDIR(mode) ? 2 : 1;
	n->st.st_uid = uid;
	n->st.st_gid = gid;
	n->st.st_ino = ino;
	n->st.st_blksize = 4096;
	n->st.st_atim = n->st.st_mtim = n->st.st_ctim = now;
	RB_INIT(&n->names);
	RB_INIT(&n->cookies);
}

static void
node_free_if_gone(struct node *n)
{
	if (n->lookups > 0 || n->st.st_nlink > 0 || n == &root)
		return;
	free(n->data);
	free(n);
}

static struct fuse_entry_param
param_of(struct node *n)
{
	n->lookups++;
	return (struct fuse_entry_param){
		.ino = n == &root ? FUSE_ROOT_ID : (fuse_ino_t)n,
		.attr = n->st,
		.attr_timeout = CACHE_SECONDS,
		.entry_timeout = CACHE_SECONDS,
	};
}

static void
on_init(void *arg, struct fuse_conn_info *conn)
{
	(void)arg;
	conn->want |= conn->capable &
	    (FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS);
	conn->max_background = 64;
}

static void
on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param p = { .entry_timeout = CACHE_SECONDS };
	struct entry *e;

	pthread_rwlock_wrlock(&lock);
	e = entry_find(node_of(parent), name);
	if (e != NULL)
		p = param_of(e->node);
	pthread_rwlock_unlock(&lock);
	fuse_reply_entry(req, &p);
}

static void
on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	struct node *n = node_of(ino);

	pthread_rwlock_wrlock(&lock);
	n->lookups -= n->lookups < count ? n->lookups : count;
	node_free_if_gone(n);
	pthread_rwlock_unlock(&lock);
	fuse_reply_none(req);
}

static void
on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	pthread_rwlock_rdlock(&lock);
	st = node_of(ino)->st;
	pthread_rwlock_unlock(&lock);
	fuse_reply_attr(req, &st, CACHE_SECONDS);
}

static void
set_size(struct node *n, off_t size)
{
	size_t capacity = n->capacity != 0 ? n->capacity : 256;

	while (capacity < (size_t)size)
		capacity *= 2;
	if (capacity != n->capacity) {
		n->data = realloc(n->data, capacity);
		if (n->data == NULL)
			err(1, "data");
		memset(n->data + n->capacity, 0, capacity - n->capacity);
		n->capacity = capacity;
	}
	if (size < n->st.st_size)
		memset(n->data + size, 0, (size_t)(n->st.st_size - size));
	n->st.st_size = size;
	n->st.st_blocks = (size + 511) / 512;
}

static void
on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int valid,
    struct fuse_file_info *fi)
{
	struct node *n = node_of(ino);
	struct stat st;

	(void)fi;
	pthread_rwlock_wrlock(&lock);
	if ((valid & FUSE_SET_ATTR_MODE) != 0)
		n->st.st_mode = (n->st.st_mode & S_IFMT) |
		    (attr->st_mode & 07777);
	if ((valid & FUSE_SET_ATTR_UID) != 0)
		n->st.st_uid = attr->st_uid;
	if ((valid & FUSE_SET_ATTR_GID) != 0)
		n->st.st_gid = attr->st_gid;
	if ((valid & FUSE_SET_ATTR_SIZE) != 0)
		set_size(n, attr->st_size);
	if ((valid & FUSE_SET_ATTR_MTIME) != 0)
		n->st.st_mtim = attr->st_mtim;
	clock_gettime(CLOCK_REALTIME, &n->st.st_ctim);
	st = n->st;
	pthread_rwlock_unlock(&lock);
	fuse_reply_attr(req, &st, CACHE_SECONDS);
}

static int
make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_entry_param *p)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct node *dir = node_of(parent), *n = calloc(1, sizeof(*n));
	struct entry *e = entry_create(name);
	int rc = 0;

	if (n == NULL)
		err(1, "node");
	pthread_rwlock_wrlock(&lock);
	node_init(n, mode, ctx->uid, ctx->gid, next_ino++);
	if (entry_find(dir, name) != NULL) {
		free(e);
		free(n);
		rc = EEXIST;
	} else {
		e->node = n;
		entry_insert(dir, e);
		dir->st.st_nlink += S_ISDIR(mode) ? 1 : 0;
		*p = param_of(n);
	}
	pthread_rwlock_unlock(&lock);
	return rc;
}

static void
on_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param p;
	int rc = make(req, parent, name, mode | S_IFDIR, &p);

	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		fuse_reply_entry(req, &p);
}

static void
on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct fuse_entry_param p;
	int rc = make(req, parent, name, mode, &p);

	fi->keep_cache = 1;
	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		fuse_reply_create(req, &p, fi);
}

static void
remove_entry(fuse_req_t req, fuse_ino_t parent, const char *name, bool is_dir)
{
	struct node *dir = node_of(parent), *n;
	struct entry *e;
	int rc = 0;

	pthread_rwlock_wrlock(&lock);
	e = entry_find(dir, name);
	if (e == NULL) {
		rc = ENOENT;
	} else if (is_dir && !RB_EMPTY(&e->node->names)) {
		rc = ENOTEMPTY;
	} else {
		n = e->node;
		entry_remove(dir, e);
		n->st.st_nlink -= is_dir ? 2 : 1;
		dir->st.st_nlink -= is_dir ? 1 : 0;
		node_free_if_gone(n);
	}
	pthread_rwlock_unlock(&lock);
	fuse_reply_err(req, rc);
}

static void
on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_entry(req, parent, name, false);
}

static void
on_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_entry(req, parent, name, true);
}

/* Of files only, which is what the benchmark renames. */
static void
on_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t newparent, const char *newname, unsigned flags)
{
	struct node *from = node_of(parent), *to = node_of(newparent), *n;
	struct entry *made = entry_create(newname), *e, *old;
	int rc = 0;

	pthread_rwlock_wrlock(&lock);
	e = entry_find(from, name);
	old = entry_find(to, newname);
	if (e == NULL || flags != 0) {
		rc = flags != 0 ? EINVAL : ENOENT;
		free(made);
	} else {
		made->node = e->node;
		entry_remove(from, e);
		if (old != NULL && old != e) {
			n = old->node;
			entry_remove(to, old);
			n->st.st_nlink--;
			node_free_if_gone(n);
		}
		entry_insert(to, made);
	}
	pthread_rwlock_unlock(&lock);
	fuse_reply_err(req, rc);
}

static void
on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void
on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct node *n = node_of(ino);

	(void)fi;
	pthread_rwlock_rdlock(&lock);
	if (off >= n->st.st_size)
		size = 0;
	else if ((off_t)size > n->st.st_size - off)
		size = (size_t)(n->st.st_size - off);
	fuse_reply_buf(req, size > 0 ? n->data + off : NULL, size);
	pthread_rwlock_unlock(&lock);
}

static void
on_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
    off_t off, struct fuse_file_info *fi)
{
	struct node *n = node_of(ino);

	(void)fi;
	pthread_rwlock_wrlock(&lock);
	if (off + (off_t)size > n->st.st_size)
		set_size(n, off + (off_t)size);
	memcpy(n->data + off, buf, size);
	clock_gettime(CLOCK_REALTIME, &n->st.st_mtim);
	pthread_rwlock_unlock(&lock);
	fuse_reply_write(req, size);
}

static void
on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->keep_cache = 1;
	fi->cache_readdir = 1;
	fuse_reply_open(req, fi);
}

static void
on_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct entry probe = { .cookie = off + 1 }, *e;
	struct fuse_entry_param p;
	char *buf = malloc(size);
	size_t len = 0, need;

	(void)fi;
	if (buf == NULL)
		err(1, "listing");
	pthread_rwlock_wrlock(&lock);
	for (e = RB_NFIND(cookies, &node_of(ino)->cookies, &probe); e != NULL;
	     e = RB_NEXT(cookies, &node_of(ino)->cookies, e)) {
		p = param_of(e->node);
		need = fuse_add_direntry_plus(req, buf + len, size - len,
		    e->name, &p, e->cookie);
		if (need > size - len) {
			e->node->lookups--;
			break;
		}
		len += need;
	}
	pthread_rwlock_unlock(&lock);
	fuse_reply_buf(req, buf, len);
	free(buf);
}

static void
on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	(void)fi;
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = on_lookup,
	.forget = on_forget,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.mkdir = on_mkdir,
	.create = on_create,
	.unlink = on_unlink,
	.rmdir = on_rmdir,
	.rename = on_rename,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.opendir = on_opendir,
	.readdirplus = on_readdirplus,
	.fsync = on_fsync,
};

int
main(int argc, char **argv)
{
	char flag[] = "-o", list[] = "default_permissions,fsname=ceiling_fs";
	char *options[] = { argv[0], flag, list };
	struct fuse_args args = FUSE_ARGS_INIT(3, options);
	struct fuse_session *se;
	struct fuse_loop_config *cfg;
	int rc = 1;

	if (argc != 2)
		errx(2, "usage: ceiling_fs MOUNTPOINT");
	node_init(&root, S_IFDIR | 0755, getuid(), getgid(), FUSE_ROOT_ID);
	se = fuse_session_new(&args, &operations, sizeof(operations), NULL);
	if (se == NULL || fuse_set_signal_handlers(se) != 0 ||
	    fuse_session_mount(se, argv[1]) != 0)
		return 1;
	cfg = fuse_loop_cfg_create();
	fuse_loop_cfg_set_clone_fd(cfg, 1);
	rc = fuse_session_loop_mt(se, cfg);
	fuse_loop_cfg_destroy(cfg);
	fuse_session_unmount(se);
	fuse_session_destroy(se);
	return rc == 0 ? 0 : 1;
}
