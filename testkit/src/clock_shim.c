/* Shifts the wall clock of one process: CLOCK_REALTIME plus the seconds in the file that CLOCK_SHIM_FILE names.
   The monotonic clock and the kernel's own timestamps stay as they are, until the second number of the file is not 0: then
   the monotonic clock stands at its very end for the thread `ledger`, which panics when it adds to it.
   Loaded by LD_PRELOAD, in tests only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*gettime)(clockid_t, struct timespec *);

static volatile long long *shift;

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("CLOCK_SHIM_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *seen = mmap(NULL, 2 * sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (seen != MAP_FAILED) shift = seen;
}

static int is_ledger(void) {
    char name[16] = "";
    return prctl(PR_GET_NAME, name) == 0 && strcmp(name, "ledger") == 0;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    static gettime real;
    if (!real) real = (gettime)dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    if (result == 0 && shift && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += *shift;
    if (result == 0 && id == CLOCK_MONOTONIC && shift && shift[1] && is_ledger()) now->tv_sec = LLONG_MAX;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return (time_t)-1;
    if (out) *out = precise.tv_sec;
    return precise.tv_sec;
}
