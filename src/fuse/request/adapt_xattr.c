/* SPDX-License-Identifier: ISC */
/*
 * Requests on extended attributes. Access control lists come this way too;
 * without -o acl fs refuses them, since the kernel would not enforce them.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuse/control/control_dir.h"
#include "fuse/reply/reply.h"
#include "fuse/request/adapt.h"
#include "fuse/serve/protocol.h"

/*
 * May a request go on? The kernel remembers ENOSYS and does not ask again,
 * not even for security.capability before the first write to a file.
 */
static int
xattr_check(struct connection *c, fuse_ino_t ino, int absent)
{
	if (c->noxattr)
		return -ENOSYS;
	return control_owns(ino) ? absent : 0;
}

static void
do_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct connection *c = request_connection(req);
	struct buf value = { 0 };
	int rc = xattr_check(c, ino, -ENODATA);

	if (rc == 0)
		rc = fs_getxattr(c->fs, ino, slice_str(name), &value);
	if (rc == 0)
		rc = buf_error(&value);
	reply_sized(req, rc, buf_slice(&value), size);
	buf_fini(&value);
}

/*
 * May the caller see names in trusted.*? That takes CAP_SYS_ADMIN in the
 * first user namespace. The kernel checks it before it sends a get, set or
 * remove, but does not filter listings. The request tells the user only, so
 * capget(2), which never blocks, is asked about a caller that is root. Other
 * users may have the capability in a namespace of their own, which capget(2)
 * does not tell apart. Root in a PID namespace that is not visible here is
 * allowed.
 */
static bool
sees_trusted(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = ctx->pid,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (ctx->uid != 0)
		return false;
	/* For pid 0 capget(2) would return our own capabilities. */
	return ctx->pid == 0 || syscall(SYS_capget, &head, data) != 0 ||
	    (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &
		CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

static void
do_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct connection *c = request_connection(req);
	struct buf names = { 0 };
	int rc = c->noxattr ? -ENOSYS : 0;

	if (rc == 0 && !control_owns(ino))
		rc = fs_listxattr(c->fs, ino, sees_trusted(req), &names);
	if (rc == 0)
		rc = buf_error(&names);
	reply_sized(req, rc, buf_slice(&names), size);
	buf_fini(&names);
}

static void
do_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
    size_t size, int flags)
{
	struct connection *c = request_connection(req);
	int rc = xattr_check(c, ino, -EPERM);

	if (protocol_kill_suid())
		flags |= FS_XATTR_KILL_SGID;
	if (rc == 0)
		rc = fs_setxattr(c->fs, ino, slice_str(name),
		    slice_make(value, size), flags);
	reply_status(req, rc);
}

static void
do_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct connection *c = request_connection(req);
	int rc = xattr_check(c, ino, -EPERM);

	if (rc == 0)
		rc = fs_removexattr(c->fs, ino, slice_str(name));
	reply_status(req, rc);
}

void
adapt_fill_xattr(struct fuse_lowlevel_ops *ops)
{
	ops->getxattr = do_getxattr;
	ops->listxattr = do_listxattr;
	ops->setxattr = do_setxattr;
	ops->removexattr = do_removexattr;
}
