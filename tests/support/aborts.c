/* SPDX-License-Identifier: ISC */
/* See aborts.h. */
#include "support/aborts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child. */
static void
call(int err, void (*fn)(void *arg), void *arg)
{
	/* It is meant to abort: no core file. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGABRT, SIG_DFL);
	dup2(err, STDERR_FILENO);
	close(err);
	fn(arg);
	_exit(0);
}

bool
aborts_with(const char *text, void (*fn)(void *arg), void *arg)
{
	char said[4096];
	size_t len = 0;
	ssize_t n;
	int fds[2], status = 0;
	pid_t pid;
	bool right;

	fflush(NULL);
	if (pipe(fds) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		call(fds[1], fn, arg);
	}
	close(fds[1]);
	while (len < sizeof(said) - 1 &&
	    (n = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	right = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	    strstr(said, text) != NULL;
	if (!right)
		fprintf(stderr, "no abort with \"%s\": status %#x, \"%s\"\n",
		    text, (unsigned)status, said);
	return right;
}
