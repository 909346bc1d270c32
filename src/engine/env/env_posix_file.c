/* SPDX-License-Identifier: ISC */
/*
 * Open files of the real file system; see env_posix.c. Calls that a signal
 * interrupts are repeated, and short transfers are continued.
 * Threading: as env.h says; pread and pwrite share no position.
 */
#include "engine/env/env_posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * Writes of this size and more use pwritev(2) even if the file is mapped. The
 * call adds little (both 7 GB/s at 64 KiB; at 150 bytes a store takes 24 ns,
 * the call 2 us), and pages that are not in memory need not be read, as they
 * must be for a store.
 */
#define MAP_WRITE_MAX (64u << 10)
/* A log is written from its front to its end. Pages this far behind are removed
 * from the process's mapping. A multiple of any page size. */
#define MAP_LEAVE_BYTES (1u << 20)

struct posix_file {
	struct env_file base;
	int fd;
	bool is_writable;
	uint8_t *map; /* constant after env_map() has set it */
	uint64_t map_len;
	/* Writes below it use the mapping. Relaxed: env_map() is called before
	 * the file is shared, and callers must not truncate during writes. */
	_Atomic uint64_t map_end;
};

static struct posix_file *
to_posix(struct env_file *file)
{
	return (struct posix_file *)file;
}

int
posix_file_fd(const struct env_file *file)
{
	return ((const struct posix_file *)file)->fd;
}

static void
posix_file_close(struct env_file *file)
{
	struct posix_file *f = to_posix(file);

	posix_map_close(f->map, f->map_len);
	close(f->fd);
	free(f);
}

static ssize_t
posix_file_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	struct posix_file *f = to_posix(file);
	size_t done = 0;

	if (off > INT64_MAX || len > (uint64_t)INT64_MAX - off)
		return -EINVAL;
	while (done < len) {
		ssize_t n = pread(f->fd, (uint8_t *)buf + done, len - done,
		    (off_t)(off + done));

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)done;
}

static int
write_mapped(struct posix_file *f, const struct iovec *iov, int iovcnt,
    uint64_t off, uint64_t end)
{
	uint64_t from = off & ~(uint64_t)(MAP_LEAVE_BYTES - 1);
	uint64_t to = end & ~(uint64_t)(MAP_LEAVE_BYTES - 1);
	int rc = posix_map_copy(f->map + off, iov, iovcnt, end - off);

	if (from != to)
		posix_map_leave(f->map, from, to);
	return rc;
}

static int
posix_file_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	struct posix_file *f = to_posix(file);
	uint64_t end = off;
	uint64_t map_end;

	for (int i = 0; i < iovcnt; i++) {
		if (end > INT64_MAX || iov[i].iov_len > INT64_MAX - end)
			return -EFBIG;
		end += iov[i].iov_len;
	}
	map_end = atomic_load_explicit(&f->map_end, memory_order_relaxed);
	if (end <= map_end && end - off < MAP_WRITE_MAX && end > off)
		return write_mapped(f, iov, iovcnt, off, end);
	return posix_write_vectors(f->fd, iov, iovcnt, off);
}

/*
 * fdatasync(2) also covers the mapping: its dirty pages belong to the file, and
 * errors of their writeback are reported to this descriptor.
 *
 * Its success alone is no proof. If the file system shuts down after it has
 * written a block and before it has journalled the block's extent, the
 * writeback of the page succeeds, and ext4 and XFS (Linux 6.18) find no
 * transaction to wait for. That happened in one of five shutdowns under load,
 * in a file made by fallocate(2). Both refuse to read after a shutdown, so a
 * read is tried, which costs a microsecond.
 */
static int
posix_file_sync(struct env_file *file)
{
	int fd = to_posix(file)->fd;
	char byte;

	if (fdatasync(fd) != 0 || pread(fd, &byte, 1, 0) < 0)
		return -errno;
	return 0;
}

static int
posix_file_size(struct env_file *file, uint64_t *sizep)
{
	struct stat st;

	*sizep = 0;
	if (fstat(to_posix(file)->fd, &st) != 0)
		return -errno;
	*sizep = (uint64_t)st.st_size;
	return 0;
}

static int
posix_file_allocate(struct env_file *file, uint64_t size, bool zero)
{
	int fd = to_posix(file)->fd;
	uint64_t old_size;
	int rc;

	if (size > INT64_MAX)
		return -EFBIG;
	rc = posix_file_size(file, &old_size);
	if (rc < 0 || size == 0 || (zero && size <= old_size))
		return rc;
	/* Allocate before zeros are written, too: one extent, and a full disk
	 * is noticed at once. */
	rc = posix_reserve_blocks(fd, size);
	if (rc == -EOPNOTSUPP || rc == -ENOSYS) {
		rc = 0;
		zero = true;
	}
	if (rc == 0 && zero && size > old_size) {
		rc = posix_write_zeros(fd, old_size, size);
		if (rc == 0)
			rc = posix_file_sync(file);
	}
	/* Free what a failed attempt has allocated. */
	if (rc < 0 && ftruncate(fd, (off_t)old_size) != 0)
		return rc;
	return rc;
}

bool
posix_keeps_blocks(int fd)
{
	struct statfs st;

	if (fstatfs(fd, &st) != 0)
		return false;
	switch ((unsigned long)st.f_type) {
	case EXT4_SUPER_MAGIC: /* also of ext2 and ext3 */
	case XFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
}

static int
posix_file_map(struct env_file *file, uint64_t size)
{
	struct posix_file *f = to_posix(file);
	uint64_t file_size;
	int rc;

	if (!f->is_writable)
		return -EBADF;
	rc = posix_file_size(file, &file_size);
	if (rc < 0)
		return rc;
	if (size == 0 || size > file_size)
		return -EINVAL;
	if (f->map == NULL && !posix_keeps_blocks(f->fd))
		return -EOPNOTSUPP;
	if (f->map == NULL) {
		rc = posix_map_open(f->fd, size, &f->map);
		if (rc < 0)
			return rc;
		f->map_len = size;
	}
	if (size > f->map_len)
		size = f->map_len;
	atomic_store_explicit(&f->map_end, size, memory_order_relaxed);
	return 0;
}

static int
posix_file_truncate(struct env_file *file, uint64_t size)
{
	struct posix_file *f = to_posix(file);
	uint64_t map_end;

	if (size > INT64_MAX)
		return -EFBIG;
	/* Behind the new end a store would fail where write(2) extends the
	 * file. */
	map_end = atomic_load_explicit(&f->map_end, memory_order_relaxed);
	if (map_end > size)
		atomic_store_explicit(&f->map_end, size, memory_order_relaxed);
	while (ftruncate(f->fd, (off_t)size) != 0) {
		if (errno != EINTR)
			return posix_growth_error(errno);
	}
	return 0;
}

static int
posix_file_lock(struct env_file *file, enum env_lock_mode mode)
{
	static const short how[] = {
		[ENV_LOCK_NONE] = F_UNLCK,
		[ENV_LOCK_SHARED] = F_RDLCK,
		[ENV_LOCK_EXCLUSIVE] = F_WRLCK,
	};
	/* It belongs to the open file description, as a directory's lock
	 * does. */
	struct flock fl = { .l_type = how[mode], .l_whence = SEEK_SET };

	if (fcntl(to_posix(file)->fd, F_OFD_SETLK, &fl) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

static void
posix_file_writeback(struct env_file *file, uint64_t off, uint64_t len)
{
	(void)sync_file_range(to_posix(file)->fd, (off_t)off, (off_t)len,
	    SYNC_FILE_RANGE_WRITE);
}

static void
posix_file_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice)
{
	static const int how[] = {
		[ENV_ADVICE_SEQUENTIAL] = POSIX_FADV_SEQUENTIAL,
		[ENV_ADVICE_RANDOM] = POSIX_FADV_RANDOM,
		[ENV_ADVICE_DONTNEED] = POSIX_FADV_DONTNEED,
		[ENV_ADVICE_WILLNEED] = POSIX_FADV_WILLNEED,
	};

	(void)posix_fadvise(to_posix(file)->fd, (off_t)off, (off_t)len,
	    how[advice]);
}

static const struct env_file_ops posix_file_ops = {
	.close = posix_file_close,
	.read = posix_file_read,
	.write = posix_file_write,
	.sync = posix_file_sync,
	.allocate = posix_file_allocate,
	.map = posix_file_map,
	.truncate = posix_file_truncate,
	.size = posix_file_size,
	.lock = posix_file_lock,
	.writeback = posix_file_writeback,
	.advise = posix_file_advise,
};

int
posix_file_create(int fd, bool is_writable, struct env_file **filep)
{
	struct posix_file *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		close(fd);
		return -ENOMEM;
	}
	f->base.ops = &posix_file_ops;
	f->fd = fd;
	f->is_writable = is_writable;
	*filep = &f->base;
	return 0;
}
