/* sounds.c - moves sound from a microphone to a speaker, as a participant does; writes recordings.
 *
 *     sounds list
 *     sounds pump MIC SPEAKER SECONDS
 *     sounds loop MIC SPEAKER SECONDS         clicks, from the speaker to the microphone: what
 * times tell sounds record FILE SECONDS APART_MS     three people, a tone each, who come one after
 * the other
 *
 * Prints a line of JSON for each device, for each change of one, and at the end: what was held, and
 * how far the speaker's clock went from ours.
 */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "av/codec.h"
#include "av/record.h"
#include "av/sound.h"

static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int list(void)
{
    static struct sound_device devices[SOUND_DEVICES_MAX];
    char why[SOUND_WHY] = "";
    int n = sound_devices(devices, why);

    if (n < 0) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (int i = 0; i < n; i++)
        printf("{\"name\":\"%s\",\"text\":\"%s\",\"in\":%d,\"out\":%d,\"default\":%d,\"monitor\":%"
               "d}\n",
               devices[i].name, devices[i].text, devices[i].in, devices[i].out,
               devices[i].is_default, devices[i].monitor);
    return 0;
}

static void tell(const char *which, const struct sound_look *l)
{
    static const char *const states[] = { "waits", "goes", "gone" };

    printf("{\"%s\":\"%s\",\"state\":\"%s\",\"latency_us\":%lld,\"samples\":%llu,\"lost\":%llu,"
           "\"gaps\":%llu}\n",
           which, l->name, states[l->state], (long long)l->latency_us,
           (unsigned long long)l->samples, (unsigned long long)l->lost,
           (unsigned long long)l->gaps);
    fflush(stdout);
}

struct pump {
    struct sound_in *in;
    struct sound_out *out;
    struct sound_look was_in, was_out;
    int16_t block[SOUND_BLOCK];
    uint64_t read, written, empty;
    int64_t held_us, held; /* the sum, and of how many */
    int64_t worst_us;      /* between two blocks, at the microphone: how far from 10 ms */
    int64_t last_us;
};

static void tell_changes(struct pump *p)
{
    struct sound_look l;

    sound_in_look(p->in, &l);
    if (l.changes != p->was_in.changes)
        tell("in", &l);
    p->was_in = l;
    sound_out_look(p->out, &l);
    if (l.changes != p->was_out.changes)
        tell("out", &l);
    p->was_out = l;
}

/* Whatever the speaker wants it gets: of the microphone, or silence. */
static void turn(struct pump *p, int64_t now_us)
{
    while (sound_out_wants(p->out, now_us) >= SOUND_BLOCK) {
        int64_t at_us = 0, heard_us = sound_out_heard_us(p->out, now_us);
        if (sound_in_read(p->in, now_us, p->block, SOUND_BLOCK, &at_us)) {
            int64_t off = llabs(at_us - p->last_us - 10000);
            p->worst_us = p->read && off > p->worst_us ? off : p->worst_us;
            p->last_us = at_us;
            p->read++;
            p->held_us += heard_us - at_us;
            p->held++;
        } else {
            memset(p->block, 0, sizeof p->block);
            p->empty++;
        }
        sound_out_write(p->out, now_us, p->block, SOUND_BLOCK);
        p->written++;
    }
}

static int pump(const char *mic, const char *speaker, double seconds)
{
    static struct pump p;
    char why[SOUND_WHY] = "";
    int64_t start_us = clock_us(), now_us = start_us;

    if (sound_in_new(&p.in, mic, now_us, why) || sound_out_new(&p.out, speaker, now_us, 0, why)) {
        fprintf(stderr, "%s\n", why);
        sound_in_free(p.in);
        return 1;
    }
    start_us = now_us = clock_us();
    while ((double)(now_us - start_us) < seconds * 1e6) {
        turn(&p, now_us);
        tell_changes(&p);
        int64_t due_us = sound_out_due_us(p.out, now_us, SOUND_BLOCK);
        int64_t wait_ms = (due_us - now_us + 999) / 1000;
        poll(NULL, 0, wait_ms < 1 ? 1 : wait_ms > 20 ? 20 : (int)wait_ms);
        now_us = clock_us();
    }
    tell("in", &p.was_in);
    tell("out", &p.was_out);
    printf("{\"read\":%llu,\"written\":%llu,\"empty\":%llu,\"through_us\":%lld,\"worst_us\":%lld,"
           "\"seconds\":%.3f}\n",
           (unsigned long long)p.read, (unsigned long long)p.written, (unsigned long long)p.empty,
           (long long)(p.held ? p.held_us / p.held : 0), (long long)p.worst_us,
           (double)(now_us - start_us) / 1e6);
    sound_in_free(p.in);
    sound_out_free(p.out);
    return 0;
}

/* --- clicks ------------------------------------------------------------------------------ */

enum { CLICKS = 64, EVERY = 50 }; /* a click in so many blocks */

struct loop {
    struct sound_in *in;
    struct sound_out *out;
    int64_t wrote_us[CLICKS], heard_us[CLICKS]; /* of each that was written */
    uint64_t blocks, clicks, found;
    int64_t off_us, off_most_us, through_us;
    int64_t quiet_until_us;
};

static void write_clicks(struct loop *l, int64_t now_us)
{
    while (sound_out_wants(l->out, now_us) >= SOUND_BLOCK) {
        int16_t pcm[SOUND_BLOCK] = { 0 };
        if (++l->blocks % EVERY == 0) {
            for (int i = 0; i < 48; i++)
                pcm[i] = 20000;
            l->wrote_us[l->clicks % CLICKS] = now_us;
            l->heard_us[l->clicks++ % CLICKS] = sound_out_heard_us(l->out, now_us);
        }
        sound_out_write(l->out, now_us, pcm, SOUND_BLOCK);
    }
}

/* A click at this moment belongs to the one that was to be heard nearest to it. */
static void on_click(struct loop *l, int64_t at_us, int64_t now_us)
{
    int64_t best = INT64_MAX, wrote_us = 0;

    for (uint64_t i = 0; i < l->clicks && i < CLICKS; i++)
        if (llabs(at_us - l->heard_us[i]) < llabs(best)) {
            best = at_us - l->heard_us[i];
            wrote_us = l->wrote_us[i];
        }
    if (llabs(best) > 200000)
        return;
    l->found++;
    l->off_us += best;
    l->off_most_us = llabs(best) > l->off_most_us ? llabs(best) : l->off_most_us;
    l->through_us += now_us - wrote_us;
}

static void find_clicks(struct loop *l, int64_t now_us)
{
    int16_t pcm[SOUND_BLOCK];
    int64_t at_us;

    while (sound_in_read(l->in, now_us, pcm, SOUND_BLOCK, &at_us))
        for (int i = 0; i < SOUND_BLOCK; i++)
            if (pcm[i] > 5000 && at_us + i * 125 / 6 > l->quiet_until_us) {
                on_click(l, at_us + i * 125 / 6, now_us);
                l->quiet_until_us = at_us + 200000;
            }
}

static int loop(const char *mic, const char *speaker, double seconds)
{
    static struct loop l;
    char why[SOUND_WHY] = "";
    int64_t start_us = clock_us(), now_us = start_us;

    if (sound_in_new(&l.in, mic, now_us, why) || sound_out_new(&l.out, speaker, now_us, 0, why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (; (double)(now_us - start_us) < seconds * 1e6; now_us = clock_us()) {
        write_clicks(&l, now_us);
        find_clicks(&l, now_us);
        poll(NULL, 0, 2);
    }
    int64_t n = l.found ? (int64_t)l.found : 1;
    printf("{\"clicks\":%llu,\"found\":%llu,\"off_us\":%lld,\"off_most_us\":%lld,\"through_us\":%"
           "lld}\n",
           (unsigned long long)l.clicks, (unsigned long long)l.found, (long long)(l.off_us / n),
           (long long)l.off_most_us, (long long)(l.through_us / n));
    sound_in_free(l.in);
    sound_out_free(l.out);
    return 0;
}

/* --- recordings ------------------------------------------------------------------------- */

static int say(struct record *r, struct encoder *e, uint32_t who, int64_t at_us)
{
    static const double tones[] = { 0, 400, 700, 1100 };
    int16_t pcm[960];
    uint8_t bytes[CODEC_BYTES_MAX];
    bool silence;

    for (int i = 0; i < 960; i++)
        pcm[i] = (int16_t)(6000 *
                           sin(2 * M_PI * fmod(tones[who] * ((double)at_us * 0.048 + i), 48000) /
                               48000));
    int len = encoder_frame(e, pcm, 960, bytes, &silence);
    return len <= 0 ? len : record_frame(r, at_us, who, MEDIA_OPUS, bytes, (size_t)len);
}

/* As fast as it goes, about: time is counted, not waited for. */
static int record(const char *path, int64_t for_us, int64_t apart_us)
{
    static const char *const names[] = { "", "Ann", "Bea", "Cor" };
    struct encoder_wish wish = { .codec = MEDIA_OPUS, .music = true, .bits = 48000 };
    struct encoder *e[4] = { 0 };
    struct record *r = NULL;
    unsigned long frames = 0;
    int err = record_new(&r, path, 0, 0, "three");

    for (uint32_t who = 1; !err && who <= 3; who++)
        err = encoder_new(&e[who], &wish) || record_person(r, who, names[who]);
    for (int64_t at_us = 0; !err && at_us < for_us; at_us += 20000) {
        for (uint32_t who = 1; who <= 3; who++)
            if (at_us >= (who - 1) * apart_us) {
                err = err ? err : say(r, e[who], who, at_us);
                frames++;
            }
        printf("{\"frames\":%lu}\n", frames);
        fflush(stdout);
        poll(NULL, 0, 1);
    }
    err = r && !err ? record_end(r, for_us) : err;
    for (int who = 1; who <= 3; who++)
        encoder_free(e[who]);
    return err ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if (argc == 5 && strcmp(argv[1], "pump") == 0)
        return pump(argv[2], argv[3], atof(argv[4]));
    if (argc == 5 && strcmp(argv[1], "loop") == 0)
        return loop(argv[2], argv[3], atof(argv[4]));
    if (argc == 5 && strcmp(argv[1], "record") == 0)
        return record(argv[2], (int64_t)(atof(argv[3]) * 1e6), atoll(argv[4]) * 1000);
    fprintf(stderr, "sounds list | pump MIC SPEAKER SECONDS | record FILE SECONDS APART_MS\n");
    return 2;
}
