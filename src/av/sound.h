/* sound.h - where sound comes from and where it goes: devices, files, tones, and nothing.
 *
 * One interface for all, 48 kHz, one channel, 16 bit. The caller's clock paces everything that is
 * no device, so all of it runs in virtual time too; a device has its own clock and its own thread,
 * with a ring between (av/fifo.h), and now_us must be CLOCK_MONOTONIC for it.
 *
 *   microphone  tone[:HZ]   a sine, 440 Hz, at -12 dB
 *               file:F      WAV, or Opus in WebM or Ogg; again and again. once:F: once
 *               none        silence
 *               default, or the name of a device (sound_devices)
 *   speaker     null        heard by nobody, at the pace of the clock
 *               file:F      the same, and written to a WAV file, silence included
 *               default, or the name of a device
 *
 * A device that goes away is silence until it is back; what follows it meanwhile is the sound
 * server's affair (it moves streams to another device, and sound_look names that one).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOUND_HZ = 48000,
    SOUND_BLOCK = 480, /* 10 ms */
    SOUND_NAME = 160,
    SOUND_WHY = 200,
    SOUND_DEVICES_MAX = 64,
};
#define SOUND_BUFFER_US 20000 /* what a speaker wants to hold, unless told otherwise */

struct sound_in;
struct sound_out;

/* The microphone `word`. -ROOST_INVALID, -ROOST_IO, -ROOST_NOMEM with a sentence in `why`. */
int sound_in_new(struct sound_in **ret, const char *word, int64_t now_us,
                 char why[static SOUND_WHY]);
void sound_in_free(struct sound_in *s);
/* The next n samples if they are all there; *ret_at_us: when the first of them was heard. What is
 * left lying for 200 ms is dropped, and counted (lost). */
bool sound_in_read(struct sound_in *s, int64_t now_us, int16_t *pcm, uint32_t n,
                   int64_t *ret_at_us);
/* When to ask for n samples (of a device: when they are expected). */
int64_t sound_in_due_us(struct sound_in *s, int64_t now_us, uint32_t n);

/* The speaker `word`. It holds buffer_us at most; 0: SOUND_BUFFER_US. Errors as above. */
int sound_out_new(struct sound_out **ret, const char *word, int64_t now_us, int64_t buffer_us,
                  char why[static SOUND_WHY]);
void sound_out_free(struct sound_out *s);
/* So many samples it wants now; write them in pieces of any length, then ask again. */
uint32_t sound_out_wants(struct sound_out *s, int64_t now_us);
/* When it will want n. */
int64_t sound_out_due_us(struct sound_out *s, int64_t now_us, uint32_t n);
/* When what is written next will be heard: this is the time to give to jitter_next. So clocks that
 * go apart show as sound that is wanted sooner or later, and the stretch follows. */
int64_t sound_out_heard_us(struct sound_out *s, int64_t now_us);
void sound_out_write(struct sound_out *s, int64_t now_us, const int16_t *pcm, uint32_t n);

enum sound_state {
    SOUND_WAITS, /* the device does not give or take sound yet, */
    SOUND_GOES,
    SOUND_GONE, /* or not now; it will be tried again */
};

struct sound_look {
    enum sound_state state;
    char name[SOUND_NAME], text[SOUND_NAME]; /* of the device that is in use now */
    uint32_t changes;                        /* of any of the above, since the beginning */
    int64_t began_us;   /* when its first sample was heard, or is; of a device: 0 */
    int64_t latency_us; /* between us and the air: of what is written or read now */
    uint64_t samples, lost,
        gaps; /* lost: not read in time; gaps: samples wanted that were not there */
};
void sound_in_look(struct sound_in *s, struct sound_look *ret);
void sound_out_look(struct sound_out *s, struct sound_look *ret);

struct sound_device {
    char name[SOUND_NAME], text[SOUND_NAME];
    bool in, out, is_default, monitor; /* monitor: what a speaker plays, as a microphone */
};
/* Asks the sound server, and waits for 3 s at most. Returns how many, or -ROOST_IO with a sentence:
 * there is no server. */
int sound_devices(struct sound_device ret[static SOUND_DEVICES_MAX], char why[static SOUND_WHY]);
