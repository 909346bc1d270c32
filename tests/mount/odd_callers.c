/* SPDX-License-Identifier: ISC */
/*
 * Callers of a file system that cannot be looked at, or do not go on, while
 * the file system answers them: odd_callers KIND DIR
 *
 *   exec     execve(2) with files open that it closes
 *   threads  the same, by one of several threads that all use DIR
 *   vfork    a child that uses DIR while its parent is suspended, and execs
 *   stop     a process that is stopped again and again
 *   trace    one that a debugger stops at each system call and at execve(2)
 *   zombie   processes that have ended and are not waited for, and one whose
 *            first thread has
 *   pidns    exec, in a PID namespace of its own
 *
 * Exit status 0 when all came to an end; the caller bounds the time.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20
#define THREADS 3

static const char *dir;
static char other[] = "other", headless[] = "headless";

/* A file that is open for writing, has contents that wait, and is closed by
 * execve(2). */
static int
make(const char *name, int n)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s-%d", dir, name, n);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "line\n", 5) != 5)
		err(1, "%s", path);
	return fd;
}

/* One request after the other. */
static void
use(const char *name, int times)
{
	for (int i = 0; i < times; i++)
		close(make(name, i));
}

static void
run_true(void)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(127);
}

static void
reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		errx(1, "a child failed");
}

static void
check_exec(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		int fd = make("exec", i);
		pid_t pid = fork();

		if (pid == 0)
			run_true();
		reap(pid);
		close(fd);
	}
}

static void *
use_for_ever(void *arg)
{
	for (;;)
		use(arg, 100);
	return NULL;
}

static void
check_threads(void)
{
	static char names[THREADS][16];
	pthread_t thread;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();

		if (pid != 0) {
			reap(pid);
			continue;
		}
		for (int t = 0; t < THREADS; t++) {
			snprintf(names[t], sizeof(names[t]), "t%d", t);
			pthread_create(&thread, NULL, use_for_ever, names[t]);
		}
		use("first", i % 8);
		make("threads", i);
		run_true();
	}
}

static void
check_vfork(void)
{
	for (volatile int i = 0; i < ROUNDS; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			use("vfork", 10);
			make("vfork", 10);
			run_true();
		}
		reap(pid);
	}
}

static pid_t
start_user(void)
{
	pid_t pid = fork();

	if (pid == 0)
		use_for_ever(other);
	return pid;
}

static void
end_user(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
check_stop(void)
{
	pid_t pid = start_user();
	int status;

	for (int i = 0; i < ROUNDS; i++) {
		use("stop", 5);
		kill(pid, SIGSTOP);
		if (waitpid(pid, &status, WUNTRACED) != pid ||
		    !WIFSTOPPED(status))
			errx(1, "not stopped");
		use("stop", 20);
		kill(pid, SIGCONT);
	}
	end_user(pid);
}

static void
check_trace(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			err(1, "PTRACE_TRACEME");
		raise(SIGSTOP);
		use("traced", ROUNDS);
		make("traced", ROUNDS);
		run_true();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		(void *)(PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)) < 0)
		err(1, "PTRACE_SETOPTIONS");
	while (!WIFEXITED(status)) {
		use("tracer", 2);
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid || WIFSIGNALED(status))
			errx(1, "the traced process");
	}
	if (WEXITSTATUS(status) != 0)
		errx(1, "the traced process failed");
}

static void *
use_and_end(void *arg)
{
	usleep(20000); /* the first thread ends meanwhile, most likely */
	use(arg, ROUNDS);
	exit(0);
}

static void
check_zombie(void)
{
	pthread_t thread;
	pid_t pids[ROUNDS], pid;

	for (int i = 0; i < ROUNDS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			make("zombie", i);
			_exit(0);
		}
		use("alive", 5);
	}
	pid = fork();
	if (pid == 0) {
		pthread_create(&thread, NULL, use_and_end, headless);
		pthread_exit(NULL);
	}
	use("alive", ROUNDS);
	reap(pid);
	for (int i = 0; i < ROUNDS; i++)
		reap(pids[i]);
}

static void
check_pidns(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		err(1, "unshare");
	pid = fork();
	if (pid == 0) {
		check_exec();
		_exit(0);
	}
	reap(pid);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*check)(void);
	} kinds[] = {
		{ "exec", check_exec },
		{ "threads", check_threads },
		{ "vfork", check_vfork },
		{ "stop", check_stop },
		{ "trace", check_trace },
		{ "zombie", check_zombie },
		{ "pidns", check_pidns },
	};

	if (argc != 3)
		errx(2, "usage: odd_callers KIND DIR");
	dir = argv[2];
	/* So long alone that the daemon takes us for its only caller. */
	use("alone", 200);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[1]) == 0) {
			kinds[i].check();
			return 0;
		}
	}
	errx(2, "%s: unknown", argv[1]);
}
