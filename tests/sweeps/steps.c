/*
 * Numbers every call by which a program changes files below a directory, or makes a change durable, and lets the n-th of
 * them go wrong.
 *
 * Loaded into the program under test by LD_PRELOAD, in front of the system's C library, and told by variables:
 *
 *   STEPS_BELOW   the directory, as an absolute path without links; calls on other files are let through
 *   STEPS_REPORT  a file that gets the name of each call, one a line, before the call is made
 *   STEPS_AT      the number of the step to strike, from 1; without it, none is
 *   STEPS_ACTION  what happens to it:
 *                   kill   SIGKILL instead of the call
 *                   tear   half of its bytes are written, then SIGKILL
 *                   fail   the call does nothing and fails
 *                   short  half of its bytes are written, and the next step fails, as on a disk that fills up
 *   STEPS_ERRNO   how it fails, as a number
 *   STEPS_LASTS   if set, every later step fails as well
 *   STEPS_NOW     seconds since the epoch at which the clock stands still
 *   STEPS_HASTE   how many times as fast timers run
 *
 * What is no write (fsync, unlink, ...) has no half: `tear` is `kill` there, and `short` is `fail`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* The function of this name that would be called if this library were not there. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum verdict { PASS, HALF, FAIL };

static enum { NOTHING, KILL_IT, TEAR_IT, FAIL_IT, SHORTEN_IT } action;
static const char *below;
static long at, lasts, failure, now, haste;
static int report = -1;
static struct timespec began;
static atomic_long steps;

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("STEPS_REPORT"), *what = getenv("STEPS_ACTION");
    below = getenv("STEPS_BELOW");
    at = number("STEPS_AT");
    action = !what ? NOTHING : *what == 'k' ? KILL_IT : *what == 't' ? TEAR_IT : *what == 'f' ? FAIL_IT : SHORTEN_IT;
    failure = number("STEPS_ERRNO");
    lasts = number("STEPS_LASTS");
    now = number("STEPS_NOW");
    haste = number("STEPS_HASTE") > 1 ? number("STEPS_HASTE") : 1;
    NEXT(clock_gettime)(CLOCK_MONOTONIC, &began);
    if (path)
        report = NEXT(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int is_below(const char *path)
{
    size_t length = below ? strlen(below) : 0;
    return length && !strncmp(path, below, length) && (path[length] == '/' || !path[length]);
}

static int is_path_below(const char *path)
{
    char whole[PATH_MAX * 2], directory[PATH_MAX];
    if (*path == '/' || !getcwd(directory, sizeof directory))
        return is_below(path);
    snprintf(whole, sizeof whole, "%s/%s", directory, path);
    return is_below(whole);
}

static int is_open_below(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return is_below(path);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Numbers a step. What is to be done of it: all, half of it and then `halved`, or nothing. */
static enum verdict step(const char *name, int has_half)
{
    long n = atomic_fetch_add(&steps, 1) + 1;
    dprintf(report, "%s\n", name);
    int is_late = n > at && !lasts && !(action == SHORTEN_IT && n == at + 1);
    if (!at || n < at || is_late)
        return PASS;
    if (n == at && has_half && (action == TEAR_IT || action == SHORTEN_IT))
        return HALF;
    if (action == KILL_IT || action == TEAR_IT)
        die();
    errno = (int)failure;
    return FAIL;
}

static ssize_t halved(ssize_t written)
{
    if (action == TEAR_IT)
        die();
    return written;
}

/* Defines a call of this name; `concerns` tells whether it is a step, `half` does half of it. */
#define CALL(type, name, parameters, arguments, concerns, has_half, half)      \
    type name parameters                                                       \
    {                                                                          \
        enum verdict verdict = (concerns) ? step(#name, has_half) : PASS;      \
        if (verdict == HALF)                                                   \
            return halved(half);                                               \
        return verdict == FAIL ? -1 : NEXT(name) arguments;                    \
    }
#define WRITE(name, parameters, arguments, half) \
    CALL(ssize_t, name, parameters, arguments, is_open_below(fd), bytes > 1, NEXT(name) half)
#define CHANGE(name, parameters, arguments, concerns) CALL(int, name, parameters, arguments, concerns, 0, -1)

WRITE(write, (int fd, const void *from, size_t bytes), (fd, from, bytes), (fd, from, bytes / 2))
WRITE(pwrite, (int fd, const void *from, size_t bytes, off_t to), (fd, from, bytes, to), (fd, from, bytes / 2, to))
WRITE(pwrite64, (int fd, const void *from, size_t bytes, off64_t to), (fd, from, bytes, to), (fd, from, bytes / 2, to))
CHANGE(fsync, (int fd), (fd), is_open_below(fd))
CHANGE(fdatasync, (int fd), (fd), is_open_below(fd))
CHANGE(ftruncate, (int fd, off_t length), (fd, length), is_open_below(fd))
CHANGE(ftruncate64, (int fd, off64_t length), (fd, length), is_open_below(fd))
CHANGE(unlink, (const char *path), (path), is_path_below(path))
CHANGE(rename, (const char *from, const char *to), (from, to), is_path_below(from) || is_path_below(to))

/* Of the ways to open a file, those that may make one. */
#define OPEN(name)                                                                       \
    int name(const char *path, int flags, ...)                                           \
    {                                                                                    \
        va_list more;                                                                    \
        va_start(more, flags);                                                           \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                        \
        va_end(more);                                                                    \
        if (flags & O_CREAT && is_path_below(path) && step(#name, 0) == FAIL)            \
            return -1;                                                                   \
        return NEXT(name)(path, flags, mode);                                            \
    }
OPEN(open)
OPEN(open64)

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = NEXT(clock_gettime)(clock, time);
    if (clock == CLOCK_REALTIME && now)
        *time = (struct timespec){.tv_sec = now};
    if (clock == CLOCK_MONOTONIC && haste > 1) {
        long long passed = (time->tv_sec - began.tv_sec) * 1000000000LL + time->tv_nsec - began.tv_nsec;
        passed = passed * haste + began.tv_nsec;
        *time = (struct timespec){.tv_sec = began.tv_sec + passed / 1000000000, .tv_nsec = passed % 1000000000};
    }
    return result;
}

/* Where the runtime waits for its next timer. */
int epoll_wait(int fd, struct epoll_event *events, int most, int milliseconds)
{
    int hurried = milliseconds > 0 ? (int)((milliseconds + haste - 1) / haste) : milliseconds;
    return NEXT(epoll_wait)(fd, events, most, hurried);
}
