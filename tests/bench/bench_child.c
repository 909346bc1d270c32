/* SPDX-License-Identifier: ISC */
/* Works in processes; see bench_child.h. */
#include "bench/bench_child.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's end of the pipe. A record is shorter than what a pipe takes
 * in one piece. */
static int report_fd = -1;

static void
send_record(const struct bench_record *rec)
{
	if (write(report_fd, rec, sizeof(*rec)) != sizeof(*rec))
		err(1, "reporting a figure");
}

static void
run_in_child(const struct bench_load *load, struct bench_job *job)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	job->report = send_record;
	load->run(job);
	exit(0);
}

/* False at the end. */
static bool
receive(int fd, struct bench_record *rec)
{
	size_t got = 0;

	while (got < sizeof(*rec)) {
		ssize_t n = read(fd, (char *)rec + got, sizeof(*rec) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

bool
child_run(const struct bench_load *load, struct bench_job *job,
    void (*add)(void *arg, const struct bench_record *rec), void *arg)
{
	struct bench_record rec;
	int fds[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds) < 0)
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		close(fds[0]);
		report_fd = fds[1];
		run_in_child(load, job);
	}
	close(fds[1]);
	while (receive(fds[0], &rec))
		add(arg, &rec);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(1, "waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
