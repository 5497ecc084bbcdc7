#include "server/hash_process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/resources.h"
#include "server/turns.h"

enum {
    THREADS_AUTO_MAX = 4,
    STACK_BYTES = 256 * 1024, /* argon2 calls no deep stack */
    /* Idle so long: what the allocator kept for the next hash goes back. */
    TRIM_AFTER_MS = 1000,
    KEEP_BYTES = 32 * 1024 * 1024, /* the most that the allocator takes for its threshold */
    AGAIN_MS = 20, /* before the next is made: one that dies at once must not eat the machine */
    SOCKET_FD = 3,
    BREATHE_EVERY_NS = 500000,
    BREATH_NS = 20000, /* and as much again till the kernel comes back to it */
};

/* --- hashing ---------------------------------------------------------------------- */

static void do_job(const struct hash_job *j, struct hash_answer *a)
{
    *a = (struct hash_answer){ .id = j->id };
    if (j->verify)
        a->err = password_verify(j->password, j->encoded, &a->ok);
    else
        a->err = password_make(j->password, j->salt, &j->params, a->encoded, sizeof a->encoded);
    if (j->verify && a->err == -ROOST_INVALID)
        a->err = 0;
    if (!j->verify)
        a->ok = !a->err;
}

/* The next packet; false at the end. Gives memory back once when none comes for a while. */
static bool next_job(int fd, bool *untrimmed, struct hash_job *ret)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (poll(&p, 1, *untrimmed ? TRIM_AFTER_MS : -1) == 0) {
            resources_trim();
            *untrimmed = false;
            continue;
        }
        ssize_t n = recv(fd, ret, sizeof *ret, MSG_DONTWAIT);
        if (n == sizeof *ret)
            break;
        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            return false;
    }
    ret->password[sizeof ret->password - 1] = 0;
    ret->encoded[sizeof ret->encoded - 1] = 0;
    *untrimmed = true;
    return true;
}

/* --- breathing ---------------------------------------------------------------------- */

/* Whoever wakes up on a processor that hashes may have to wait for the kernel's next tick, 4 ms
 * here, however little the hash is worth: because the server had its share already, or because it
 * is work of the kernel's, as what ends a sync of the disk. So a hash stops for a moment, often:
 * nobody waits for longer than from one breath to the next. Who was not let run has not held
 * anybody up and need not stop: on a busy machine it would come to nothing. */
static _Thread_local struct {
    timer_t timer; /* fires once; set again by what it set off */
    bool learnt;
    volatile bool on;
    int64_t ran_ns; /* of processor, at the last breath */
} lungs;

static int64_t ran_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void on_breath(int number)
{
    const struct timespec moment = { .tv_nsec = BREATH_NS };
    const struct itimerspec next = { .it_value = { .tv_nsec = BREATHE_EVERY_NS } };
    int was = errno;

    (void)number;
    if (ran_ns() - lungs.ran_ns > BREATHE_EVERY_NS / 2) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
        lungs.ran_ns = ran_ns();
    }
    if (lungs.on)
        timer_settime(lungs.timer, 0, &next, NULL);
    errno = was;
}

static void learn_to_breathe(void)
{
    const struct sigaction action = { .sa_handler = on_breath, .sa_flags = SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };

    event._sigev_un._tid = gettid();
    lungs.learnt = !sigaction(SIGALRM, &action, NULL) &&
                   !timer_create(CLOCK_MONOTONIC, &event, &lungs.timer);
}

static void breathe(bool on)
{
    const struct itimerspec first = { .it_value = { .tv_nsec = on ? BREATHE_EVERY_NS : 0 } };

    if (!lungs.learnt)
        return;
    lungs.on = on;
    timer_settime(lungs.timer, 0, &first, NULL);
}

/* All threads of the process ask the same socket: who is free has the next. */
static void work(int fd)
{
    struct hash_job job;
    struct hash_answer answer;
    bool untrimmed = false;

    while (next_job(fd, &untrimmed, &job)) {
        breathe(true);
        do_job(&job, &answer);
        breathe(false);
        seal_wipe(&job, sizeof job);
        ssize_t n = send(fd, &answer, sizeof answer, MSG_NOSIGNAL);
        seal_wipe(&answer, sizeof answer);
        if (n < 0)
            break;
    }
}

static int make_thread(pthread_t *ret, void *(*fn)(void *), int fd)
{
    pthread_attr_t attr;

    if (pthread_attr_init(&attr))
        return -ROOST_NOMEM;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int err = pthread_create(ret, &attr, fn, (void *)(intptr_t)fd); /* NOLINT: a small number */
    pthread_attr_destroy(&attr);
    return err ? -ROOST_NOMEM : 0;
}

/* --- the process that hashes ------------------------------------------------------------ */

static void *one_of_them(void *arg)
{
    learn_to_breathe();
    work((int)(intptr_t)arg);
    _exit(0);
}

/* Should memory run short, this one is the one to take: it is made anew, and logins wait. */
static void offer_to_die(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write(fd, "500", 3) < 0) {
        /* then as good as any other */
    }
    if (fd >= 0)
        close(fd);
}

static void hash_until_end(unsigned threads, enum sandbox how, pid_t keeper)
{
    pthread_t t;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper)
        _exit(0);
    prctl(PR_SET_NAME, "roostd-hash");
    offer_to_die();
    turns_last();
    /* the same memory for one hash after the other, instead of new pages for each */
    mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_ARENA_MAX, 1);
    sandbox_enter_hashing(how);
    while (--threads > 0 && !make_thread(&t, one_of_them, SOCKET_FD))
        pthread_detach(t);
    one_of_them((void *)(intptr_t)SOCKET_FD); /* NOLINT: a small number */
}

/* --- the process that keeps it ------------------------------------------------------------ */

static void be_alone(int fd)
{
    int null = open("/dev/null", O_RDWR);

    setsid(); /* no signals of a terminal; and a share of the processors of its own */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    if (fd != SOCKET_FD)
        dup2(fd, SOCKET_FD);
    close_range(SOCKET_FD + 1, ~0u, 0);
    turns_session_last();
}

static bool server_is_gone(void)
{
    struct pollfd p = { .fd = SOCKET_FD };

    return poll(&p, 1, 0) == 1;
}

static _Noreturn void keep(int fd, unsigned threads, enum sandbox how, pid_t server)
{
    const struct hash_answer lost = { 0 };
    const struct timespec a_while = { .tv_nsec = AGAIN_MS * 1000000L };
    pid_t self = getpid();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server)
        _exit(0);
    prctl(PR_SET_NAME, "roostd-keep");
    be_alone(fd);
    resources_trim(); /* what the start needed, it and those it makes do not */
    while (!server_is_gone()) {
        pid_t child = fork();

        if (!child)
            hash_until_end(threads, how, self);
        while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        if (child > 0 && send(SOCKET_FD, &lost, sizeof lost, MSG_NOSIGNAL) < 0)
            break;
        nanosleep(&a_while, NULL);
    }
    _exit(0);
}

/* --- the server's end ------------------------------------------------------------------------ */

static unsigned threads_to_make(unsigned wanted)
{
    unsigned spare = uv_available_parallelism() - 1; /* a flood of logins must not have all */

    if (wanted)
        return wanted < HASH_PROCESS_THREADS_MAX ? wanted : HASH_PROCESS_THREADS_MAX;
    return spare < 1 ? 1 : spare < THREADS_AUTO_MAX ? spare : THREADS_AUTO_MAX;
}

static int make_sockets(int ret_fds[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds))
        return -ROOST_NOMEM;
    fcntl(ret_fds[0], F_SETFL, O_NONBLOCK); /* this end only */
    return 0;
}

int hash_process_start(struct hash_process *ret, unsigned threads, enum sandbox how)
{
    struct hash_process p = { .threads = threads_to_make(threads) };
    pid_t server = getpid();
    int fds[2];

    if (make_sockets(fds))
        return -ROOST_NOMEM;
    p.fd = fds[0];
    p.keeper = fork();
    if (!p.keeper)
        keep(fds[1], p.threads, how, server);
    close(fds[1]);
    if (p.keeper < 0) {
        p.keeper = 0;
        if (hash_process_stand_in(&p)) {
            close(p.fd);
            return -ROOST_NOMEM;
        }
    }
    *ret = p;
    return 0;
}

static void *stand_in(void *arg)
{
    int fd = (int)(intptr_t)arg;

    /* not nice: who gets no turn for long may hold a lock of the memory's that others need */
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }); /* of this thread */
    work(fd);
    close(fd);
    return NULL;
}

int hash_process_stand_in(struct hash_process *p)
{
    int fds[2];

    if (p->stands_in || make_sockets(fds))
        return -ROOST_NOMEM;
    if (dup3(fds[0], p->fd, O_CLOEXEC) < 0 || make_thread(&p->thread, stand_in, fds[1])) {
        close(fds[0]);
        close(fds[1]);
        return -ROOST_NOMEM;
    }
    close(fds[0]);
    p->threads = 1;
    p->stands_in = true;
    return 0;
}

void hash_process_end(struct hash_process *p)
{
    close(p->fd); /* who waits for jobs at the other end, ends; who hashes, does so with us */
    if (p->stands_in)
        pthread_join(p->thread, NULL);
    *p = (struct hash_process){ .fd = -1 };
}
