#include "server/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/err.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define BUILT false
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define BUILT false
#endif
#endif
#ifndef BUILT
#define BUILT true
#endif

#define CALL(name) SCMP_SYS(name)

/* By what for. A call that a system does not have is left out by libseccomp. */
static const int allowed[] = {
    /* files below the data directory, certificates, the configuration */
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(open),
    CALL(openat),
    CALL(openat2),
    CALL(syncfs),
    CALL(rmdir),
    CALL(close),
    CALL(close_range),
    CALL(lseek),
    CALL(stat),
    CALL(fstat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(fsync),
    CALL(fdatasync),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fadvise64),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(link),
    CALL(linkat),
    CALL(unlink),
    CALL(unlinkat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(umask),
    CALL(fchmod),
    CALL(fchown),
    CALL(flock),
    CALL(fcntl),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(getdents64),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(ioctl),
    CALL(utimensat),
    /* connections */
    CALL(connect),
    CALL(bind),
    CALL(listen),
    CALL(accept),
    CALL(accept4),
    CALL(getsockname),
    CALL(getpeername),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(sendto),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(recvmmsg),
    CALL(shutdown),
    CALL(socketpair),
    CALL(pipe),
    CALL(pipe2),
    CALL(eventfd2),
    CALL(epoll_create),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    /* memory, threads, time */
    CALL(brk),
    CALL(mmap),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(mprotect),
    CALL(msync),
    CALL(membarrier),
    CALL(futex),
    CALL(clone3),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(set_tid_address),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(sched_setscheduler),
    CALL(sched_getattr),
    CALL(sched_setattr),
    CALL(gettid),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigaltstack),
    CALL(tgkill),
    CALL(restart_syscall),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(gettimeofday),
    CALL(time),
    CALL(exit),
    CALL(exit_group),
    /* what it is, and how much it used */
    CALL(getpid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(getrandom),
    CALL(getrusage),
    CALL(getpriority),
    CALL(setpriority),
    CALL(getrlimit),
    CALL(prlimit64),
    CALL(setrlimit),
    CALL(sysinfo),
    CALL(uname),
    CALL(times),
};

/* argon2 with several lanes makes threads. Nothing here opens, connects or looks at anything. */
static const int allowed_hashing[] = {
    CALL(poll),
    CALL(ppoll),
    CALL(recvfrom),
    CALL(sendto),
    CALL(write), /* what was refused */
    CALL(brk),
    CALL(mmap),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(mprotect),
    CALL(futex),
    CALL(clone3),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(gettid),
    CALL(getpid),
    CALL(getrandom),
    CALL(rt_sigaction), /* the C library, before it makes the first thread */
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(tgkill),
    CALL(restart_syscall),
    CALL(clock_gettime),
    CALL(clock_nanosleep), /* it breathes */
    CALL(timer_create),
    CALL(timer_settime),
    CALL(exit),
    CALL(exit_group),
};

static volatile sig_atomic_t entered;

bool sandbox_is_built(void)
{
    return BUILT;
}

static char *put_number(char *end, unsigned n)
{
    do
        *--end = (char)('0' + n % 10);
    while (n /= 10);
    return end;
}

/* A call was refused: say which, and let it fail as if the system had said no. */
static void on_refused(int signal, siginfo_t *info, void *context)
{
    static const char words[] = "sandbox: system call refused, number ";
    char line[sizeof words + 16], digits[16], *end = digits + sizeof digits;
    ucontext_t *c = context;

    (void)signal;
    char *first = put_number(end, (unsigned)info->si_syscall);
    memcpy(line, words, sizeof words - 1);
    memcpy(line + sizeof words - 1, first, (size_t)(end - first));
    line[sizeof words - 1 + (end - first)] = '\n';
    if (write(STDERR_FILENO, line, sizeof words + (size_t)(end - first)) < 0) {
        /* nobody is left to be told */
    }
#if defined __x86_64__
    c->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined __aarch64__
    c->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#else
    (void)c;
#endif
}

/* Threads may be made, processes not: for these, clone has no CLONE_VM. */
static int add_threads(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, 0x100, 0x100));
}

/* Sockets only of the kinds that are used; of prctl only names of threads, and how exactly one
 * is woken. */
static int add_with_arguments(scmp_filter_ctx filter)
{
    static const unsigned families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
    int err = add_threads(filter);

    if (!err)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    if (!err)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_TIMERSLACK));
    for (size_t i = 0; !err && i < sizeof families / sizeof *families; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                               SCMP_A0(SCMP_CMP_EQ, families[i]));
    return err;
}

static uint32_t refusal(enum sandbox how)
{
    if (how == SANDBOX_KILL)
        return SCMP_ACT_KILL_PROCESS;
#if defined __x86_64__ || defined __aarch64__
    return SCMP_ACT_TRAP;
#else
    return SCMP_ACT_ERRNO(EPERM);
#endif
}

typedef int add_fn(scmp_filter_ctx filter);

static int enter(enum sandbox how, const int *calls, size_t n, add_fn *add_more)
{
    struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_NODEFER };

    if (!BUILT)
        return -ROOST_UNSUPPORTED;
    if (how == SANDBOX_OFF || entered)
        return 0;
    scmp_filter_ctx filter = seccomp_init(refusal(how));
    if (!filter)
        return -ROOST_NOMEM;
    sigaction(SIGSYS, &action, NULL);
    int err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; !err && i < n; i++)
        if (calls[i] != __NR_SCMP_ERROR)
            err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    if (!err)
        err = add_more(filter);
    if (!err)
        err = seccomp_load(filter);
    seccomp_release(filter);
    entered = !err;
    return !err ? 0 : err == -ENOSYS || err == -EINVAL ? -ROOST_UNSUPPORTED : -ROOST_IO;
}

int sandbox_enter(enum sandbox how)
{
    return enter(how, allowed, sizeof allowed / sizeof *allowed, add_with_arguments);
}

int sandbox_enter_hashing(enum sandbox how)
{
    return enter(how, allowed_hashing, sizeof allowed_hashing / sizeof *allowed_hashing,
                 add_threads);
}
