/* SPDX-License-Identifier: ISC */
/*
 * What a file loses when its contents or owner change, and which extended
 * attributes may be set by whom: posix_rights DIR, as root. The results are
 * those of ext4. Prints what differs; exit status 1 then. DIR is on the
 * mount, empty, and open to all.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOBODY 65534u
#define BYTES 8192
#define CAPABILITY "security.capability"

static unsigned failures;

/* ---- As somebody else ---- */

/* The errno of fn(arg) called by a process of uid and gid alone. */
static int
as_user(unsigned uid, unsigned gid, int (*fn)(const void *), const void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		if (uid != 0 &&
		    (setgroups(0, NULL) != 0 || setgid(gid) != 0 ||
			setuid(uid) != 0))
			err(2, "setuid");
		_exit(fn(arg) == 0 ? 0 : errno);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		errx(2, "a child was killed");
	return WEXITSTATUS(status);
}

/* ---- Changes of contents ---- */

static int
with_open(const char *path, int flags, int (*fn)(int fd))
{
	int fd = open(path, flags), rc;

	if (fd < 0)
		return -1;
	rc = fn(fd);
	return close(fd) != 0 ? -1 : rc;
}

static int
write_some(int fd)
{
	return pwrite(fd, "new", 3, 0) == 3 ? 0 : -1;
}

static int
write_aligned(int fd)
{
	static _Alignas(4096) char block[4096];

	return pwrite(fd, block, sizeof(block), 0) == sizeof(block) ? 0 : -1;
}

static int
allocate(int fd)
{
	return fallocate(fd, 0, 0, 70000);
}

static int
punch(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
	    4096);
}

static int
zero(int fd)
{
	return fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096);
}

static int
copy_in(int fd)
{
	int src = open("source", O_RDONLY);
	ssize_t n = copy_file_range(src, NULL, fd, NULL, 4096, 0);

	close(src);
	return n == 4096 ? 0 : -1;
}

static int
cut(int fd)
{
	return ftruncate(fd, 10);
}

static int
nothing(int fd)
{
	(void)fd;
	return 0;
}

static const struct change {
	const char *what;
	int flags;
	int (*fn)(int fd);
} changes[] = {
	{ "write", O_WRONLY, write_some },
	{ "append", O_WRONLY | O_APPEND, write_some },
	{ "direct", O_WRONLY | O_DIRECT, write_aligned },
	{ "allocate", O_WRONLY, allocate },
	{ "punch", O_WRONLY, punch },
	{ "zero", O_WRONLY, zero },
	{ "copy_file_range", O_WRONLY, copy_in },
	{ "truncate", O_WRONLY, cut },
	{ "open with O_TRUNC", O_WRONLY | O_TRUNC, nothing },
};

static int
do_change(const void *arg)
{
	const struct change *c = arg;

	return with_open("victim", c->flags, c->fn);
}

/* One with a capability, unless its mode has set-id bits. */
static void
make_victim(unsigned mode)
{
	static const char text[BYTES] = "old";
	const struct vfs_cap_data cap = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1u << CAP_NET_RAW,
	};
	int fd = open("victim", O_CREAT | O_TRUNC | O_WRONLY, 0600);

	if (fd < 0 || write(fd, text, BYTES) != BYTES ||
	    fchown(fd, 0, 0) != 0 || fchmod(fd, mode) != 0 || close(fd) != 0)
		err(2, "victim");
	if ((mode & 06000) == 0 &&
	    setxattr("victim", CAPABILITY, &cap, XATTR_CAPS_SZ_2, 0) != 0)
		err(2, CAPABILITY);
}

/* What is left of the mode, and no capability. */
static void
expect_left(const char *what, const char *who, unsigned mode)
{
	struct stat st;
	bool has = getxattr("victim", CAPABILITY, NULL, 0) > 0;

	if (stat("victim", &st) != 0)
		err(2, "victim");
	if ((st.st_mode & 07777) != mode || has) {
		printf("%s by %s: mode %o, not %o%s\n", what, who,
		    st.st_mode & 07777, mode,
		    has ? "; a capability stays" : "");
		failures++;
	}
}

static void
contents_cost_set_ids(void)
{
	static const struct {
		const char *who;
		unsigned uid, gid, before, after;
	} cases[] = {
		{ "nobody", NOBODY, NOBODY, 06777, 0777 },
		{ "nobody", NOBODY, NOBODY, 04766, 0766 },
		{ "nobody", NOBODY, NOBODY, 02767, 0767 },
		{ "one of the group", NOBODY, 0, 02767, 02767 },
		{ "root", 0, 0, 06777, 06777 },
		{ "nobody", NOBODY, NOBODY, 0777, 0777 },
		{ "root", 0, 0, 0777, 0777 },
	};
	const struct change *c;
	int rc;

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		c = &changes[i];
		for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
			make_victim(cases[k].before);
			rc = as_user(cases[k].uid, cases[k].gid, do_change, c);
			if (rc != 0) {
				printf("%s: %s\n", c->what, strerror(rc));
				failures++;
			}
			expect_left(c->what, cases[k].who, cases[k].after);
		}
	}
}

static void
chown_costs_set_ids(void)
{
	static const struct {
		int uid, gid;
		unsigned before, after;
	} cases[] = {
		{ 1, 1, 06777, 0777 },
		{ -1, -1, 06777, 0777 },
		{ -1, 5, 04711, 0711 },
		{ -1, -1, 02767, 02767 },
		{ 1, -1, 0777, 0777 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_victim(cases[i].before);
		if (chown("victim", (uid_t)cases[i].uid, (gid_t)cases[i].gid) !=
		    0)
			err(2, "chown");
		expect_left("chown", "root", cases[i].after);
	}
}

/* ---- Names of extended attributes ---- */

struct attribute {
	const char *file, *name;
	enum { SET, GET, REMOVE } how;
};

static int
use_attribute(const void *arg)
{
	const struct attribute *a = arg;
	char value[16];

	switch (a->how) {
	case SET:
		return lsetxattr(a->file, a->name, "v", 1, 0);
	case GET:
		return lgetxattr(a->file, a->name, value, sizeof(value)) < 0 ?
		    -1 :
		    0;
	case REMOVE:
		break;
	}
	return lremovexattr(a->file, a->name);
}

static void
expect_attribute(unsigned uid, const char *file, int how, const char *name,
    int want)
{
	static const char *const verbs[] = { "set", "get", "remove" };
	struct attribute a = { .file = file, .name = name, .how = how };
	int rc = as_user(uid, uid, use_attribute, &a);

	if (rc == want)
		return;
	printf("%s of %s on %s by %u: %s, not %s\n", verbs[how], name, file,
	    uid, strerror(rc), strerror(want));
	failures++;
}

static int
list_trusted(const void *arg)
{
	char names[256];
	ssize_t n = listxattr(arg, names, sizeof(names));

	errno = ENODATA;
	return n > 0 && memmem(names, (size_t)n, "trusted.", 8) != NULL ? 0 :
									  -1;
}

/* Without CAP_SYS_ADMIN, as root in a container has it. */
static void
drop_admin(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) != 0)
		err(99, "capget");
	data[0].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	data[0].permitted &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &head, data) != 0)
		err(99, "capset");
}

/* In a user namespace of his own everybody has all capabilities. */
static void
enter_namespace(void)
{
	if (unshare(CLONE_NEWUSER) != 0)
		err(99, "a user namespace");
}

/* A step of a user who has changed what he may before it. */
struct prepared {
	void (*prepare)(void); /* or NULL */
	int (*step)(const void *arg);
	const void *arg;
};

static int
run_prepared(const void *arg)
{
	const struct prepared *p = arg;

	if (p->prepare != NULL)
		p->prepare();
	return p->step(p->arg);
}

static void
expect_trusted(const char *who, unsigned uid, void (*prepare)(void),
    bool is_trusted)
{
	static const int refusals[] = { EPERM, ENODATA, EPERM };
	const struct prepared list = { prepare, list_trusted, "roots" };

	if (as_user(uid, uid, run_prepared, &list) !=
	    (is_trusted ? 0 : ENODATA)) {
		printf("%s: %s names in trusted.*\n", who,
		    is_trusted ? "does not see" : "sees");
		failures++;
	}
	for (int how = SET; how <= REMOVE; how++) {
		struct attribute a = { "roots", "trusted.x", how };
		const struct prepared use = { prepare, use_attribute, &a };
		int want = is_trusted ? 0 : refusals[how];
		int rc = as_user(uid, uid, run_prepared, &use);

		if (rc == want)
			continue;
		printf("%s: trusted.x, %d: %s, not %s\n", who, how,
		    strerror(rc), strerror(want));
		failures++;
	}
}

static void
trusted_is_for_the_administrator(void)
{
	expect_trusted("root without CAP_SYS_ADMIN", 0, drop_admin, false);
	expect_trusted("a user in a namespace", NOBODY, enter_namespace, false);
	expect_trusted("a user", NOBODY, NULL, false);
	/* Its last step removes the attribute. */
	expect_trusted("root", 0, NULL, true);
}

static void
names_have_namespaces(void)
{
	static const char *const unknown[] = { "system.x", "system.posix_acl",
		"system.", "foo.bar", "plain", "user", "btrfs.x", "User.x" };
	static const char *const unfinished[] = { "user.", "trusted.",
		"security." };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		for (int how = SET; how <= REMOVE; how++)
			expect_attribute(0, "roots", how, unknown[i],
			    EOPNOTSUPP);
		expect_attribute(NOBODY, "anyones", SET, unknown[i],
		    EOPNOTSUPP);
	}
	for (size_t i = 0; i < sizeof(unfinished) / sizeof(*unfinished); i++)
		expect_attribute(0, "roots", SET, unfinished[i], EINVAL);
	expect_attribute(NOBODY, "roots", SET, "system.x", EOPNOTSUPP);
	expect_attribute(NOBODY, "roots", SET, "user.x", EACCES);
	expect_attribute(NOBODY, "anyones", SET, "user.x", 0);
	expect_attribute(NOBODY, "anyones", SET, "trusted.x", EPERM);
	expect_attribute(NOBODY, "anyones", SET, "security.x", EPERM);
	expect_attribute(0, "roots", SET, "trusted.x", 0);
	expect_attribute(0, "roots", SET, "security.x", 0);
	expect_attribute(NOBODY, "roots", GET, "trusted.x", ENODATA);
	expect_attribute(NOBODY, "roots", GET, "security.x", 0);
	expect_attribute(NOBODY, "roots", REMOVE, "security.x", EPERM);
	expect_attribute(0, "link", SET, "user.x", EPERM);
	expect_attribute(0, "link", SET, "trusted.x", 0);
	expect_attribute(0, "fifo", SET, "user.x", EPERM);
	expect_attribute(0, "fifo", SET, "trusted.x", 0);
	expect_attribute(NOBODY, "sticky", SET, "user.x", EPERM);
	expect_attribute(0, "sticky", SET, "user.x", 0);
	trusted_is_for_the_administrator();
}

static void
make(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);
	static const char bytes[BYTES];

	if (fd < 0 || write(fd, bytes, BYTES) != BYTES ||
	    fchmod(fd, mode) != 0 || close(fd) != 0)
		err(2, "%s", name);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: posix_rights DIR");
	if (chdir(argv[1]) != 0)
		err(2, "%s", argv[1]);
	make("source", 0644);
	make("roots", 0644);
	make("anyones", 0666);
	if (symlink("roots", "link") != 0 || mkfifo("fifo", 0666) != 0 ||
	    chmod("fifo", 0666) != 0 || mkdir("sticky", 0777) != 0 ||
	    chmod("sticky", 01777) != 0)
		err(2, "%s", argv[1]);
	contents_cost_set_ids();
	chown_costs_set_ids();
	names_have_namespaces();
	return failures != 0;
}
