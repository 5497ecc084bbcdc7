/* roost-both - one handle that is in a meeting with a voice and fetches a file, as a window does.
 *
 *     ROOST_PASSWORD=... roost-both HOST:PORT USER HOME CODE SPEAKER FILE
 *
 * FILE is the number of one that the server keeps; 0: none. A line of figures each second, as
 * `roost meet join --stats` has them, until the input ends. For `bench/run voice-quality`.
 */
#include <poll.h>
#include <roost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 15000, TURN_MS = 20 };

static enum roost_trust_answer trust(void *arg, const struct roost_trust *question)
{
    (void)arg;
    (void)question;
    return ROOST_TRUST_YES;
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "roost-both: %s: %s\n", what, roost_error_get(err).text);
    return 1;
}

static int await(struct roost *r, int64_t request, struct roost_event *e, const char *what)
{
    int got = roost_await(r, request, e, PATIENCE_MS);

    if (got == 1 && e->kind == ROOST_REPLY)
        return 0;
    return fail(what, got == 1 ? e->error.code : got ? got : ROOST_E_TIMEOUT);
}

static void tell(struct roost *r)
{
    const struct roost_voice *v = roost_voice_get(r);
    struct roost_path p = { .way = ROOST_WAY_NONE };

    if (!v)
        return;
    roost_path_get(r, &p);
    printf("{\"way\":\"%s\",\"speaker_began_ms\":%.3f,\"people\":[",
           p.way == ROOST_WAY_UDP ? "udp" : "tunnel", (double)v->speaker_began_us / 1000);
    for (size_t i = 0, n = 0; i < v->n_people; i++) {
        const struct roost_voice_person *o = &v->people[i];
        if (o->self)
            continue;
        printf("%s{\"self\":false,\"loss_percent\":%.3f,\"left_percent\":%.3f,\"held_ms\":%.3f,"
               "\"played_s\":%.3f,\"made_up_s\":%.3f}",
               n++ ? "," : "", o->figures.loss_ppm / 1e4, o->figures.left_ppm / 1e4,
               (double)o->figures.held_us / 1000, (double)o->figures.played_us / 1e6,
               (double)o->figures.made_up_us / 1e6);
    }
    printf("]}\n");
    fflush(stdout);
}

static bool input_ended(void)
{
    struct pollfd in = { .fd = 0, .events = POLLIN };
    char c;

    return poll(&in, 1, 0) == 1 && fread(&c, 1, 1, stdin) == 0;
}

static int go_on(struct roost *r)
{
    struct timespec now;
    time_t told = 0;
    struct roost_event e;

    while (!input_ended()) {
        roost_wait(r, TURN_MS);
        while (roost_next(r, &e)) {
            if (e.kind == ROOST_VOICE && e.voice.what == ROOST_VOICE_ENTERED)
                printf("{\"event\":\"voice\",\"what\":\"entered\"}\n");
            if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return fail("the session", e.status.error.code);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec != told)
            tell(r);
        told = now.tv_sec;
    }
    roost_voice_stop(r);
    return 0;
}

static int log_in(struct roost *r, const char *user)
{
    const char *password = getenv("ROOST_PASSWORD");
    struct roost_event e;

    while (roost_wait(r, PATIENCE_MS) == 1)
        while (roost_next(r, &e)) {
            if (e.kind != ROOST_STATUS)
                continue;
            if (e.status.state == ROOST_READY)
                return 0;
            if (e.status.state == ROOST_LOGIN)
                return await(r, roost_session_login(r, user, password ? password : ""), &e,
                             "login");
        }
    return fail("login", ROOST_E_TIMEOUT);
}

static int run(struct roost *r, char **argv)
{
    struct roost_file_get get = { .file = strtoull(argv[6], NULL, 10), .dir = argv[3] };
    char why[ROOST_VOICE_WHY];
    struct roost_event e;

    if (log_in(r, argv[2]))
        return 1;
    if (await(r, roost_meet_join(r, argv[4], NULL, 0), &e, "join"))
        return 1;
    struct roost_voice_options o = { .mic = "none", .speaker = argv[5] };
    int err = roost_voice_start(r, e.reply.ticket.meeting.meeting, &o, why);
    if (err)
        return fail(why, err);
    if (get.file && roost_file_get(r, &get) < 0)
        return fail("the file", ROOST_E_INVALID);
    return go_on(r);
}

int main(int argc, char **argv)
{
    struct roost *r;

    if (argc != 7) {
        fprintf(stderr, "usage: roost-both HOST:PORT USER HOME CODE SPEAKER FILE\n");
        return 2;
    }
    struct roost_options o = {
        .server = argv[1], .user = argv[2], .home = argv[3], .program = "roost-both", .trust = trust
    };
    if (roost_open(&r, &o) < 0) {
        fprintf(stderr, "roost-both: %s\n", roost_problem());
        return 3;
    }
    int status = run(r, argv);
    roost_close(r);
    return status;
}
