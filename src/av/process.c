#include "av/process.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "av/process_near.h"
#include "base/err.h"

enum {
    FAR = 1 << 15, /* samples that are remembered: 680 ms */
    EARLY = 480,   /* an echo is looked for behind what was played: so that comes 10 ms too early */
    SLIP = 192,    /* what belongs together is found anew when it is off by 4 ms */
    MEAN = 64,     /* in the mean of so many blocks, as times tremble, */
    APART = 960,   /* or by 20 ms at once */
};

struct process {
    struct near *near;
    bool echo;
    int16_t far[FAR];
    uint64_t written;  /* samples that were heard, or will be */
    int64_t end_us;    /* when the last of them is */
    uint64_t next;     /* of them, beside the next block of the microphone */
    double off;        /* so much later it should be, in the mean */
    bool begun, found; /* something was heard; next is right */
};

int process_new(struct process **ret, const struct process_wish *wish)
{
    struct process *p = calloc(1, sizeof *p);

    if (!p)
        return -ROOST_NOMEM;
    p->echo = wish->echo;
    p->near = near_new(wish->echo, wish->noise, wish->gain);
    if (!p->near) {
        process_free(p);
        return -ROOST_NOMEM;
    }
    *ret = p;
    return 0;
}

void process_free(struct process *p)
{
    if (!p)
        return;
    near_free(p->near);
    free(p);
}

static int64_t samples_of(int64_t us)
{
    return us * 6 / 125;
}

static void put(struct process *p, const int16_t *pcm, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        p->far[(p->written + i) % FAR] = pcm ? pcm[i] : 0;
    p->written += n;
}

void process_on_heard(struct process *p, const int16_t far[static PROCESS_BLOCK], int64_t heard_us)
{
    int64_t off_us = p->begun ? heard_us - p->end_us : 0, gap = samples_of(off_us);

    if (!p->echo)
        return;
    if (gap > APART && gap < FAR) /* nothing was heard for a while */
        put(p, NULL, (uint32_t)gap);
    put(p, far, PROCESS_BLOCK);
    if (!p->begun || gap > APART || gap < -APART)
        p->end_us = heard_us;
    else
        p->end_us += off_us / MEAN;
    p->begun = true;
    p->end_us += PROCESS_BLOCK * 125LL / 6;
}

/* What is heard while this block of the microphone is recorded. */
static void beside(struct process *p, int64_t said_us, int16_t ret[static PROCESS_BLOCK])
{
    int64_t want = (int64_t)p->written - samples_of(p->end_us - said_us) + EARLY;
    int64_t off = want - (int64_t)p->next;

    memset(ret, 0, PROCESS_BLOCK * sizeof *ret);
    if (!p->begun || want < 0 || want + FAR < (int64_t)p->written + PROCESS_BLOCK)
        return;
    p->off += ((double)off - p->off) / MEAN;
    if (!p->found || fabs(p->off) > SLIP || off > APART || off < -APART) {
        p->next = (uint64_t)want;
        p->off = 0;
    }
    p->found = true;
    for (uint32_t i = 0; i < PROCESS_BLOCK; i++)
        if (p->next + i < p->written)
            ret[i] = p->far[(p->next + i) % FAR];
    p->next += PROCESS_BLOCK;
}

void process_said(struct process *p, int16_t near[static PROCESS_BLOCK], int64_t said_us)
{
    int16_t far[PROCESS_BLOCK];

    if (p->echo) {
        beside(p, said_us, far);
        near_heard(p->near, far);
    }
    near_said(p->near, near);
}
