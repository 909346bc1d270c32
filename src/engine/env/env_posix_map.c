/* SPDX-License-Identifier: ISC */
/*
 * Stores into mapped files that survive SIGBUS; see env_posix_internal.h.
 *
 * The guard is thread-local and set only during a memcpy, so the handler never
 * jumps out of other code. The handler restores the signal mask itself, so that
 * sigsetjmp need not save it: a guarded copy costs little more than a plain
 * one. (150 bytes: 24 ns, plain 10 ns, by pwritev 1 to 2 us; Linux 6.18, ext4.)
 */
#include "engine/env/env_posix_internal.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct guard {
	sigjmp_buf jump;
	const uint8_t *begin, *end; /* addresses of the running store */
	volatile sig_atomic_t armed;
	bool unblocked; /* SIGBUS is unblocked in this thread's mask */
};

static _Thread_local struct guard guard;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static struct sigaction previous;
static int handler_error;

/* Pass a SIGBUS that is not from a guarded copy to the previous handler. */
static void
pass_on(int sig, siginfo_t *info, void *context)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	bool was_sent = info->si_code <= 0; /* by kill(2), not by a store */

	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(sig, info, context);
		return;
	}
	if (previous.sa_handler == SIG_IGN && was_sent)
		return;
	if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
		return;
	}
	/* Die as without this handler: the store is repeated after the
	 * return. */
	sigaction(SIGBUS, &dfl, NULL);
	if (was_sent)
		raise(SIGBUS);
}

static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	const uint8_t *addr = info->si_addr;

	if (guard.armed && info->si_code > 0 && addr >= guard.begin &&
	    addr < guard.end) {
		guard.armed = 0;
		/* A return would have restored it. */
		pthread_sigmask(SIG_SETMASK,
		    &((const ucontext_t *)context)->uc_sigmask, NULL);
		siglongjmp(guard.jump, 1);
	}
	pass_on(sig, info, context);
}

static void
install_handler(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	sigemptyset(&sa.sa_mask);
	/* The previous handler has to be known before the new one can run. */
	if (sigaction(SIGBUS, NULL, &previous) != 0 ||
	    sigaction(SIGBUS, &sa, NULL) != 0)
		handler_error = -errno;
}

int
posix_map_open(int fd, uint64_t size, uint8_t **mapp)
{
	void *p;

	*mapp = NULL;
	if (size == 0 || size > SIZE_MAX / 2)
		return -EINVAL;
	pthread_once(&handler_once, install_handler);
	if (handler_error != 0)
		return handler_error;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	/* A log is written from the front: read ahead pages of a recycled one
	 * that are not in memory. Only advice. */
	(void)madvise(p, size, MADV_SEQUENTIAL);
	/* A child would inherit pages that it must not write. */
	(void)madvise(p, size, MADV_DONTFORK);
	*mapp = p;
	return 0;
}

void
posix_map_close(uint8_t *map, uint64_t size)
{
	if (map != NULL)
		munmap(map, size);
}

void
posix_map_leave(uint8_t *map, uint64_t off, uint64_t end)
{
	(void)madvise(map + off, end - off, MADV_DONTNEED);
}

/* A SIGBUS by a store kills the process if the signal is blocked. Unblock it,
 * once for each thread. */
static void
unblock_sigbus(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	guard.unblocked = true;
}

/* A function of its own, apart from sigsetjmp(), so that no variable of the
 * copy lives across the jump. */
static __attribute__((noinline)) void
copy_vectors(uint8_t *dst, const struct iovec *iov, int iovcnt)
{
	for (int i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len == 0)
			continue;
		memcpy(dst, iov[i].iov_base, iov[i].iov_len);
		dst += iov[i].iov_len;
	}
}

int
posix_map_copy(uint8_t *dst, const struct iovec *iov, int iovcnt, uint64_t len)
{
	if (!guard.unblocked)
		unblock_sigbus();
	guard.begin = dst;
	guard.end = dst + len;
	if (sigsetjmp(guard.jump, 0) != 0)
		return -EIO;
	guard.armed = 1;
	/* The compiler must not move the copy out of the guarded section. The
	 * handler runs in this thread, so no stronger fence is needed. */
	atomic_signal_fence(memory_order_seq_cst);
	copy_vectors(dst, iov, iovcnt);
	atomic_signal_fence(memory_order_seq_cst);
	guard.armed = 0;
	return 0;
}
