/* Stories about dialing: names are looked up beside, addresses are tried beside each other.
 * getaddrinfo is ours here: it asks nobody, and answers when the story lets it. */
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "client/dial.h"
#include "roost.h"
#include "test.h"

#define SECONDS(n) ((n)*1000000LL)

/* --- a name server that is told what to say --------------------------------------- */

enum { SAY_MAX = 3 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool silent; /* it does not answer for now */
    int err, asked;
    size_t n;
    struct sockaddr_in at[SAY_MAX];
    struct addrinfo list[SAY_MAX];
} names = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret);
void __wrap_freeaddrinfo(struct addrinfo *list);
void __real_freeaddrinfo(struct addrinfo *list);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **ret)
{
    if (hints->ai_flags & AI_NUMERICHOST)
        return __real_getaddrinfo(host, port, hints, ret);
    pthread_mutex_lock(&names.lock);
    names.asked++;
    pthread_cond_broadcast(&names.cond);
    while (names.silent)
        pthread_cond_wait(&names.cond, &names.lock);
    int err = names.err;
    *ret = names.list;
    pthread_mutex_unlock(&names.lock);
    return err;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
    if (list != names.list)
        __real_freeaddrinfo(list);
}

static void names_set(bool silent, int err)
{
    pthread_mutex_lock(&names.lock);
    names.silent = silent;
    names.err = err;
    pthread_cond_broadcast(&names.cond);
    pthread_mutex_unlock(&names.lock);
}

/* Until it was asked so often (in all). */
static void names_await(int asked)
{
    pthread_mutex_lock(&names.lock);
    while (names.asked < asked)
        pthread_cond_wait(&names.cond, &names.lock);
    pthread_mutex_unlock(&names.lock);
}

static int names_asked(void)
{
    pthread_mutex_lock(&names.lock);
    int n = names.asked;
    pthread_mutex_unlock(&names.lock);
    return n;
}

/* A look-up of an earlier story may still be under way. */
static void names_say(size_t n, const uint16_t *ports)
{
    pthread_mutex_lock(&names.lock);
    names.asked = 0;
    for (size_t i = 0; i < n; i++) {
        names.at[i] = (struct sockaddr_in){ .sin_family = AF_INET,
                                            .sin_port = htons(ports[i]),
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        names.list[i] = (struct addrinfo){ .ai_family = AF_INET,
                                           .ai_socktype = SOCK_STREAM,
                                           .ai_addrlen = sizeof names.at[i],
                                           .ai_addr = (struct sockaddr *)&names.at[i],
                                           .ai_next = i + 1 < n ? &names.list[i + 1] : NULL };
    }
    pthread_mutex_unlock(&names.lock);
    names_set(false, 0);
}

/* --- servers -------------------------------------------------------------------------- */

struct ear {
    int fd, crowd[8];
    size_t n_crowd;
    uint16_t port;
};

static struct ear ear_new(int backlog)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    struct ear e = { .fd = socket(AF_INET, SOCK_STREAM, 0) };

    CHECK(bind(e.fd, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(getsockname(e.fd, (struct sockaddr *)&at, &len) == 0);
    CHECK(backlog < 0 || listen(e.fd, backlog) == 0); /* below 0: it refuses */
    e.port = ntohs(at.sin_port);
    return e;
}

/* Nobody takes what waits there, so who comes later hears nothing at all. */
static struct ear ear_deaf(void)
{
    struct ear e = ear_new(0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(e.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    for (; e.n_crowd < 4; e.n_crowd++) {
        e.crowd[e.n_crowd] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(e.crowd[e.n_crowd], (struct sockaddr *)&at, sizeof at);
    }
    return e;
}

static void ear_end(struct ear *e)
{
    for (size_t i = 0; i < e->n_crowd; i++)
        close(e->crowd[i]);
    close(e->fd);
}

static bool ready(const struct dial *d, int ms)
{
    struct pollfd p = { .fd = d->fd, .events = POLLIN };

    return poll(&p, 1, ms) == 1;
}

/* Waits for it at one moment of its clock. */
static int step_ready(struct dial *d, int64_t now_us, int *ret_fd)
{
    CHECK(ready(d, 5000));
    return dial_step(d, now_us, ret_fd);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;

    CHECK(getpeername(fd, (struct sockaddr *)&at, &len) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

/* --- stories -------------------------------------------------------------------------- */

static void an_address_is_not_looked_up(void)
{
    struct ear e = ear_new(5);
    char port[8];
    struct dial d;
    int fd = -1;

    names_say(0, NULL);
    snprintf(port, sizeof port, "%u", e.port);
    dial_init(&d);
    CHECK(dial_open(&d, "127.0.0.1", port, 0) == 0);
    CHECK(dial_step(&d, 0, &fd) == 0 && step_ready(&d, 0, &fd) == 1);
    CHECK(port_of(fd) == e.port && d.fd == -1 && names_asked() == 0);
    dial_fini(&d);
    ear_end(&e);
}

static void a_name_is_looked_up_beside(void)
{
    struct ear e = ear_new(5);
    struct dial d;
    int fd = -1;

    names_say(1, &e.port);
    names_set(true, 0);
    dial_init(&d);
    CHECK(dial_open(&d, "school.test", "1", 0) == 0);
    CHECK(dial_step(&d, SECONDS(8), &fd) == 0 && dial_deadline(&d) == INT64_MAX);
    CHECK(!ready(&d, 0));

    /* given up and begun anew it is still one look-up */
    dial_close(&d);
    CHECK(dial_open(&d, "school.test", "1", SECONDS(9)) == 0);
    names_await(1);
    names_set(false, 0);
    CHECK(step_ready(&d, SECONDS(9), &fd) == 0 && step_ready(&d, SECONDS(9), &fd) == 1);
    CHECK(port_of(fd) == e.port && names_asked() == 1);
    dial_fini(&d);
    ear_end(&e);
}

static void what_was_known_is_tried_when_nobody_answers(void)
{
    struct ear e = ear_new(5), moved = ear_new(5);
    struct dial d;
    int fd = -1;

    names_say(1, &e.port);
    dial_init(&d);
    CHECK(dial_open(&d, "school.test", "1", 0) == 0);
    CHECK(step_ready(&d, 0, &fd) == 0 && step_ready(&d, 0, &fd) == 1);
    CHECK(port_of(fd) == e.port);

    names_set(true, 0); /* no answer: after a moment, what was known */
    CHECK(dial_open(&d, "school.test", "1", SECONDS(10)) == 0);
    CHECK(dial_step(&d, SECONDS(10), &fd) == 0 && d.n_tries == 0);
    CHECK(dial_deadline(&d) == SECONDS(10) + DIAL_NEXT_US);
    CHECK(dial_step(&d, SECONDS(10) + DIAL_NEXT_US, &fd) == 0 && d.n_tries == 1);
    CHECK(step_ready(&d, SECONDS(11), &fd) == 1 && port_of(fd) == e.port);

    /* the answer came too late; it counts the next time, beside a new one */
    names_await(2);
    names_say(1, &moved.port);
    while (!lookup_done(d.lookup, &(int){ 0 }, &(const struct addrinfo *){ NULL }))
        usleep(1000);
    names_set(false, EAI_FAIL);
    CHECK(dial_open(&d, "school.test", "1", SECONDS(20)) == 0);
    CHECK(step_ready(&d, SECONDS(20), &fd) == 0 && step_ready(&d, SECONDS(20), &fd) == 1);
    CHECK(port_of(fd) == moved.port);
    dial_fini(&d);
    ear_end(&e);
    ear_end(&moved);
}

static void a_name_that_nobody_knows(void)
{
    struct dial d;
    int fd = -1;

    names_say(0, NULL);
    names_set(false, EAI_NONAME);
    dial_init(&d);
    CHECK(dial_open(&d, "nowhere.test", "1", 0) == 0);
    CHECK(step_ready(&d, 0, &fd) == -ROOST_CLOSED);
    CHECK(strstr(d.detail, "no address is known for nowhere.test"));
    dial_fini(&d);
}

static void the_next_is_tried_beside_one_that_is_silent(void)
{
    struct ear deaf = ear_deaf(), e = ear_new(5);
    struct dial d;
    int fd = -1;

    names_say(2, (uint16_t[]){ deaf.port, e.port });
    dial_init(&d);
    CHECK(dial_open(&d, "school.test", "1", 0) == 0);
    CHECK(step_ready(&d, 0, &fd) == 0 && d.n_tries == 1 && dial_deadline(&d) == DIAL_NEXT_US);
    CHECK(dial_step(&d, DIAL_NEXT_US, &fd) == 0 && d.n_tries == 2);
    CHECK(step_ready(&d, DIAL_NEXT_US, &fd) == 1 && port_of(fd) == e.port && d.n_tries == 0);

    /* alone it has its time */
    names_say(1, &deaf.port);
    CHECK(dial_open(&d, "other.test", "1", 0) == 0);
    CHECK(step_ready(&d, 0, &fd) == 0 && dial_deadline(&d) == DIAL_TRY_US);
    CHECK(dial_step(&d, DIAL_TRY_US, &fd) == -ROOST_CLOSED);
    dial_fini(&d);
    ear_end(&deaf);
    ear_end(&e);
}

static void the_next_follows_at_once_on_one_that_refuses(void)
{
    struct ear no = ear_new(-1), e = ear_new(5);
    struct dial d;
    int fd = -1, how = 0;

    names_say(2, (uint16_t[]){ no.port, e.port });
    dial_init(&d);
    CHECK(dial_open(&d, "school.test", "1", 0) == 0);
    for (int i = 0; i < 4 && !how; i++)
        how = step_ready(&d, 0, &fd);
    CHECK(how == 1 && port_of(fd) == e.port);
    dial_fini(&d);
    ear_end(&no);
    ear_end(&e);
}

/* Those of before end by themselves, a moment after their answer was seen. */
static int look_up_when_one_may(struct lookup **ret)
{
    int err = -ROOST_LIMIT;

    for (int i = 0; i < 5000 && err == -ROOST_LIMIT; i++) {
        err = lookup_new(ret, "school.test", "1");
        if (err == -ROOST_LIMIT)
            usleep(1000);
    }
    return err;
}

static void look_ups_are_bounded(void)
{
    struct lookup *l[LOOKUPS_MAX], *more;

    names_say(0, NULL);
    names_set(true, 0);
    for (size_t i = 0; i < LOOKUPS_MAX; i++)
        CHECK(look_up_when_one_may(&l[i]) == 0);
    CHECK(lookup_new(&more, "school.test", "1") == -ROOST_LIMIT);
    names_await(LOOKUPS_MAX);
    names_set(false, EAI_FAIL);
    for (size_t i = 0; i < LOOKUPS_MAX; i++)
        lookup_free(l[i]);
    CHECK(look_up_when_one_may(&more) == 0);
    lookup_free(more);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A program with a line to type on is not held up by a name server. */
static void a_handle_does_not_block(void)
{
    char home[] = "/tmp/roost-dial-XXXXXX", rm[64];
    struct roost *r = NULL;

    CHECK(mkdtemp(home));
    names_say(0, NULL);
    names_set(true, EAI_FAIL);
    struct roost_options o = { .server = "school.test", .home = home };
    CHECK(roost_open(&r, &o) == 0);
    int64_t from = now_us();
    if (r) {
        CHECK(roost_process(r) == 0);
        CHECK(roost_wait(r, 20) >= 0);
    }
    roost_close(r);
    CHECK(now_us() - from < SECONDS(5));
    names_set(false, EAI_FAIL);
    snprintf(rm, sizeof rm, "rm -r %s", home);
    CHECK(system(rm) == 0);
}

TEST_MAIN({ "an_address_is_not_looked_up", an_address_is_not_looked_up },
          { "a_name_is_looked_up_beside", a_name_is_looked_up_beside },
          { "what_was_known_is_tried_when_nobody_answers",
            what_was_known_is_tried_when_nobody_answers },
          { "a_name_that_nobody_knows", a_name_that_nobody_knows },
          { "the_next_is_tried_beside_one_that_is_silent",
            the_next_is_tried_beside_one_that_is_silent },
          { "the_next_follows_at_once_on_one_that_refuses",
            the_next_follows_at_once_on_one_that_refuses },
          { "look_ups_are_bounded", look_ups_are_bounded },
          { "a_handle_does_not_block", a_handle_does_not_block })
