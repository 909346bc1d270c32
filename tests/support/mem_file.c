/* SPDX-License-Identifier: ISC */
/* See mem_file.h. */
#include "support/mem_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct open_mem_file {
	struct env_file base;
	struct mem_file *m;
};

static struct mem_file *
of(struct env_file *file)
{
	return ((struct open_mem_file *)file)->m;
}

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static void
grow(struct mem_file *m, size_t len)
{
	if (len > m->cap) {
		m->cap = len * 2;
		m->data = must(realloc(m->data, m->cap));
	}
	if (len > m->len) {
		memset(m->data + m->len, 0, len - m->len);
		m->len = len;
	}
}

void
mem_file_fini(struct mem_file *m)
{
	free(m->data);
	*m = (struct mem_file){ 0 };
}

void
mem_file_set(struct mem_file *m, const void *data, size_t len)
{
	m->len = 0;
	grow(m, len);
	if (len != 0)
		memcpy(m->data, data, len);
}

static void
mem_close(struct env_file *file)
{
	free(file);
}

static ssize_t
mem_read(struct env_file *file, void *buf, size_t len, uint64_t off)
{
	struct mem_file *m = of(file);

	atomic_fetch_add(&m->reads, 1);
	if (m->read_error != 0)
		return m->read_error;
	if (off >= m->len)
		return 0;
	if (len > m->len - off)
		len = (size_t)(m->len - off);
	memcpy(buf, m->data + off, len);
	atomic_fetch_add(&m->read_bytes, len);
	return (ssize_t)len;
}

static int
mem_write(struct env_file *file, const struct iovec *iov, int iovcnt,
    uint64_t off)
{
	struct mem_file *m = of(file);
	size_t total = 0;

	if (m->write_error != 0)
		return m->write_error;
	for (int i = 0; i < iovcnt; i++) {
		grow(m, (size_t)off + iov[i].iov_len);
		if (iov[i].iov_len != 0)
			memcpy(m->data + off, iov[i].iov_base, iov[i].iov_len);
		off += iov[i].iov_len;
		total += iov[i].iov_len;
	}
	if (m->writes++ == 0 || total < m->smallest_write)
		m->smallest_write = total;
	return 0;
}

static int
mem_sync(struct env_file *file)
{
	(void)file;
	return 0;
}

static int
mem_allocate(struct env_file *file, uint64_t size, bool zero)
{
	(void)zero;
	grow(of(file), (size_t)size);
	return 0;
}

static int
mem_map(struct env_file *file, uint64_t size)
{
	(void)file;
	(void)size;
	return 0;
}

static int
mem_truncate(struct env_file *file, uint64_t size)
{
	struct mem_file *m = of(file);

	grow(m, (size_t)size);
	m->len = (size_t)size;
	return 0;
}

static int
mem_size(struct env_file *file, uint64_t *sizep)
{
	*sizep = of(file)->len;
	return 0;
}

static void
mem_writeback(struct env_file *file, uint64_t off, uint64_t len)
{
	(void)off;
	(void)len;
	of(file)->writebacks++;
}

static void
mem_advise(struct env_file *file, uint64_t off, uint64_t len,
    enum env_advice advice)
{
	(void)file;
	(void)off;
	(void)len;
	(void)advice;
}

static const struct env_file_ops mem_ops = {
	.close = mem_close,
	.read = mem_read,
	.write = mem_write,
	.sync = mem_sync,
	.allocate = mem_allocate,
	.map = mem_map,
	.truncate = mem_truncate,
	.size = mem_size,
	.writeback = mem_writeback,
	.advise = mem_advise,
};

struct env_file *
mem_file_open(struct mem_file *m)
{
	struct open_mem_file *f = must(malloc(sizeof(*f)));

	*f = (struct open_mem_file){ { &mem_ops }, m };
	return &f->base;
}
