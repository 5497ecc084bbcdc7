/* main.c - roost-crowd: many people of one meeting. See crowd.h. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crowd/crowd.h"

#define READY_S 60 /* patience until all are in, and a quarter second a person more */

static const char usage[] =
    "usage: roost-crowd -s HOST:PORT (--code CODE | --link LINK | --new) --people N --speakers K\n"
    "                   [--frame-ms 20] [--bytes 80] [--video KBIT] [--seconds 10] [--threads 1]\n"
    "                   [--join-ms 10] [--bad N] [--unsealed] [--in-turn] [--verify] [--json]\n"
    "\n"
    "N real participants of a meeting from a few threads: keys, SFrame and all. K of them speak,\n"
    "out of phase with each other. It is counted what came, what did not, and how long it took:\n"
    "from before the call that sent it until the kernel took it from the server.\n"
    "\n"
    "  -s HOST:PORT   the server\n"
    "  --code CODE    a meeting that is open; --link has the secret of its link too, and is read\n"
    "                 from standard input if it is -\n"
    "  --new          makes one, as a guest (where those may host); --unsealed: not end to end\n"
    "  --people N     how many come (with --new the first of them is the host)\n"
    "  --speakers K   the first K speak; --in-turn: one after the other, five seconds each, with\n"
    "                 names and voices that can be listened to\n"
    "  --frame-ms N   a frame every so often; --bytes N: of a frame, before it is sealed\n"
    "  --video KBIT   who speaks shows pictures too: packets of that rate, which all want\n"
    "  --seconds N    so long it is counted, from when all are there\n"
    "  --threads N    among which people are shared out\n"
    "  --join-ms N    between two who come, in each thread\n"
    "  --bad N        the last N hear through a link of 100 kbit/s that loses 20 %; they do not "
    "count\n"
    "  --verify       everybody opens every frame, not one in a hundred\n"
    "  --json         one object with the figures, instead of lines\n";

static int die(const char *text, const char *about)
{
    fprintf(stderr, "roost-crowd: %s%s\n", text, about);
    return 2;
}

static bool number(const char *text, uint32_t most, uint32_t *ret)
{
    char *end;

    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || end == text || n > most || *text == '-')
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool server(const char *text, struct crowd_settings *is)
{
    const char *colon = strrchr(text, ':'), *begin = *text == '[' ? text + 1 : text;
    const char *end = colon && *text == '[' ? colon - 1 : colon;

    if (!colon || end < begin || (size_t)(end - begin) >= sizeof is->host ||
        strlen(colon + 1) >= sizeof is->port)
        return false;
    memcpy(is->host, begin, (size_t)(end - begin));
    strcpy(is->port, colon + 1);
    return *is->host && *is->port;
}

/* https://HOST:PORT/j/CODE#SECRET; "-": it is read, as others see what a command is called with. */
static bool link_of(const char *text, struct crowd_settings *is)
{
    char line[512];

    if (!strcmp(text, "-")) {
        if (!fgets(line, sizeof line, stdin))
            return false;
        line[strcspn(line, "\n")] = 0;
        text = line;
    }
    const char *slash = strrchr(text, '/'), *hash = slash ? strchr(slash, '#') : NULL;

    if (!hash || hash - slash - 1 >= (long)sizeof is->code || strlen(hash + 1) >= sizeof is->secret)
        return false;
    memcpy(is->code, slash + 1, (size_t)(hash - slash - 1));
    strcpy(is->secret, hash + 1);
    return true;
}

enum {
    OPT_CODE = 256,
    OPT_LINK,
    OPT_NEW,
    OPT_PEOPLE,
    OPT_SPEAKERS,
    OPT_FRAME,
    OPT_BYTES,
    OPT_VIDEO,
    OPT_SECONDS,
    OPT_THREADS,
    OPT_JOIN,
    OPT_BAD,
    OPT_UNSEALED,
    OPT_TURN,
    OPT_VERIFY,
    OPT_JSON
};

static const struct option options[] = {
    { "code", 1, NULL, OPT_CODE },
    { "link", 1, NULL, OPT_LINK },
    { "new", 0, NULL, OPT_NEW },
    { "people", 1, NULL, OPT_PEOPLE },
    { "speakers", 1, NULL, OPT_SPEAKERS },
    { "frame-ms", 1, NULL, OPT_FRAME },
    { "bytes", 1, NULL, OPT_BYTES },
    { "video", 1, NULL, OPT_VIDEO },
    { "seconds", 1, NULL, OPT_SECONDS },
    { "threads", 1, NULL, OPT_THREADS },
    { "join-ms", 1, NULL, OPT_JOIN },
    { "bad", 1, NULL, OPT_BAD },
    { "unsealed", 0, NULL, OPT_UNSEALED },
    { "in-turn", 0, NULL, OPT_TURN },
    { "verify", 0, NULL, OPT_VERIFY },
    { "json", 0, NULL, OPT_JSON },
    { "help", 0, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool take_number(int opt, const char *text, struct crowd_settings *is)
{
    switch (opt) {
    case OPT_PEOPLE:
        return number(text, CROWD_PEOPLE_MAX, &is->people) && is->people;
    case OPT_SPEAKERS:
        return number(text, CROWD_PEOPLE_MAX, &is->speakers);
    case OPT_FRAME:
        return number(text, 120, &is->frame_ms) && is->frame_ms;
    case OPT_BYTES:
        return number(text, CROWD_BYTES_MAX, &is->bytes) && is->bytes >= 8;
    case OPT_VIDEO:
        return number(text, 100000, &is->video_kbit) && is->video_kbit;
    case OPT_SECONDS:
        return number(text, 1000000, &is->seconds) && is->seconds;
    case OPT_THREADS:
        return number(text, CROWD_GROUPS_MAX, &is->threads) && is->threads;
    case OPT_BAD:
        return number(text, CROWD_PEOPLE_MAX, &is->bad);
    default:
        return number(text, 100000, &is->join_ms);
    }
}

/* 0: go on; else the status to end with. -1: help was wanted. */
static int parse(int argc, char **argv, struct crowd_settings *is)
{
    bool fresh = false;
    int opt;

    *is = (struct crowd_settings){ .people = 10,
                                   .speakers = 2,
                                   .frame_ms = 20,
                                   .bytes = 80,
                                   .seconds = 10,
                                   .threads = 1,
                                   .join_ms = 10 };
    while ((opt = getopt_long(argc, argv, "s:h", options, NULL)) >= 0) {
        if (opt == 'h')
            return -1;
        if (opt == '?')
            return die("see roost-crowd --help", "");
        if (opt == 's' && !server(optarg, is))
            return die("a server is HOST:PORT, not ", optarg);
        if (opt == OPT_CODE)
            snprintf(is->code, sizeof is->code, "%s", optarg);
        if (opt == OPT_LINK && !link_of(optarg, is))
            return die("no link of a meeting: ", optarg);
        if (opt >= OPT_PEOPLE && opt <= OPT_BAD && !take_number(opt, optarg, is))
            return die("a number that cannot be: ", optarg);
        fresh |= opt == OPT_NEW;
        is->unsealed |= opt == OPT_UNSEALED;
        is->in_turn |= opt == OPT_TURN;
        is->verify |= opt == OPT_VERIFY;
        is->json |= opt == OPT_JSON;
    }
    if (optind < argc)
        return die("what is this? ", argv[optind]);
    if (!*is->host || fresh == (*is->code != 0))
        return die("-s, and one of --code, --link and --new are needed", "");
    if (is->in_turn && is->frame_ms != 10 && is->frame_ms != 20)
        return die("a voice has frames of 10 or 20 ms", "");
    return is->speakers + is->bad <= is->people
               ? 0
               : die("more speak or hear badly than there are", "");
}

/* --- running ---------------------------------------------------------------------------------- */

static uint32_t sum_ready(struct crowd *c, bool in)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->is.threads; i++)
        n += in ? c->groups[i].in : c->groups[i].ready;
    return n;
}

static int share_out(struct crowd *c)
{
    for (uint32_t i = 0; i < c->is.threads; i++) {
        struct group *g = &c->groups[i];
        g->crowd = c;
        g->index = i;
        g->people = calloc(c->is.people, sizeof(struct person *));
        if (!g->people || sleep_init(&g->sleep, false))
            return -1;
    }
    for (uint32_t i = 0; i < c->is.people; i++) {
        struct group *g = &c->groups[i % c->is.threads];
        c->people[i].crowd = c;
        c->people[i].group = g;
        c->people[i].index = i;
        c->people[i].bad = i >= c->is.people - c->is.bad;
        c->people[i].dice = i + 1;
        g->people[g->n++] = &c->people[i];
    }
    return 0;
}

static bool wait_for_all(struct crowd *c)
{
    uint32_t ms = READY_S * 1000 + c->is.people * 250;

    for (uint32_t i = 0; i < ms && !c->failed; i += 10) {
        if (sum_ready(c, true) == c->is.people && sum_ready(c, false) == c->is.people)
            return true;
        usleep(10000);
    }
    if (!c->failed)
        fprintf(stderr, "roost-crowd: %u of %u are in, and %u know the way\n", sum_ready(c, true),
                c->is.people, sum_ready(c, false));
    return false;
}

static void count(struct crowd *c)
{
    struct timespec left = { .tv_sec = c->is.seconds + 1 };

    usleep(2000000); /* keys are told, and the path is learnt */
    fprintf(stderr, "%u people are in, %u speak\n", c->is.people, c->is.speakers);
    int64_t now = sleep_now_us();
    c->until_us = now + 100000 + (int64_t)c->is.seconds * 1000000;
    c->from_us = now + 100000;
    while (!c->failed && nanosleep(&left, &left) && errno == EINTR)
        ;
    c->over = true;
}

/* --- what came of it
 * ------------------------------------------------------------------------------ */

static uint64_t percentile(const struct counts *all, uint64_t n, double of)
{
    uint64_t want = (uint64_t)((double)n * of), sum = 0;

    for (uint32_t i = 0; i < CROWD_DELAYS; i++) {
        sum += all->delays[i];
        if (sum > want || (sum == n && n))
            return (uint64_t)i * CROWD_DELAY_US;
    }
    return 0;
}

static void add(struct counts *sum, const struct counts *g)
{
    sum->sent += g->sent;
    sum->received += g->received;
    sum->strange += g->strange;
    for (uint32_t k = 0; k < CROWD_DELAYS; k++)
        sum->delays[k] += g->delays[k];
}

static void figures(const struct crowd *c, const struct counts *all)
{
    uint64_t due = all->sent * (c->is.people - c->is.bad - 1);
    uint64_t lost = due > all->received ? due - all->received : 0;

    printf(c->is.json ? "\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64
                        ", \"strange\": %" PRIu64 ", \"delay_us\": {\"p50\": %" PRIu64
                        ", \"p99\": %" PRIu64 ", \"p999\": %" PRIu64 "}"
                      : "sent      %" PRIu64 " frames\nreceived  %" PRIu64 "\nlost      %" PRIu64
                        "\nstrange   %" PRIu64 "\ndelay     %" PRIu64 " us, %" PRIu64
                        " us at 99 %%, %" PRIu64 " us at 99.9 %%\n",
           all->sent, all->received, lost, all->strange, percentile(all, all->received, 0.5),
           percentile(all, all->received, 0.99), percentile(all, all->received, 0.999));
}

static void report(struct crowd *c)
{
    static struct counts voices, pictures;

    for (uint32_t i = 0; i < c->is.threads; i++) {
        add(&voices, &c->groups[i].counts);
        add(&pictures, &c->groups[i].pictures);
    }
    printf(c->is.json ? "{\"people\": %u, \"speakers\": %u, \"seconds\": %u, "
                      : "%u people, %u speakers, %u s\n",
           c->is.people, c->is.speakers, c->is.seconds);
    figures(c, &voices);
    if (c->is.video_kbit) {
        printf(c->is.json ? ", \"pictures\": {" : "pictures, %u kbit/s each\n", c->is.video_kbit);
        figures(c, &pictures);
        printf(c->is.json ? "}" : "");
    }
    printf(c->is.json ? "}\n" : "");
}

/* Two sockets each, and what the program has. */
static void allow_files(uint32_t people)
{
    struct rlimit most;

    if (!getrlimit(RLIMIT_NOFILE, &most) && most.rlim_cur < 2 * people + 64) {
        most.rlim_cur = most.rlim_max;
        setrlimit(RLIMIT_NOFILE, &most);
    }
}

int main(int argc, char **argv)
{
    static struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER };
    int status = parse(argc, argv, &c.is);

    if (status < 0)
        return fputs(usage, stdout) < 0;
    if (status)
        return status;
    allow_files(c.is.people);
    c.people = calloc(c.is.people, sizeof *c.people);
    if (!c.people || share_out(&c))
        return die("out of memory", "");
    uint32_t started = 0;
    while (started < c.is.threads &&
           !pthread_create(&c.groups[started].thread, NULL, group_main, &c.groups[started]))
        started++;
    c.failed = started < c.is.threads;
    if (!c.failed && wait_for_all(&c))
        count(&c);
    else
        c.failed = true;
    for (uint32_t i = 0; i < started; i++)
        pthread_join(c.groups[i].thread, NULL);
    if (!c.failed)
        report(&c);
    for (uint32_t i = 0; i < c.is.threads; i++) {
        free(c.groups[i].people);
        sleep_fini(&c.groups[i].sleep);
    }
    free(c.people);
    return c.failed;
}
