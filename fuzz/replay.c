/* replay.c - runs files, or all files of folders, through a target: "ok NAME". */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *all = malloc(INPUT_MAX);

    if (!f || !all) {
        printf("FAIL %s: cannot be read\n", path);
        free(all);
        return 1;
    }
    size_t len = fread(all, 1, INPUT_MAX, f);
    fclose(f);
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees one byte too far */
    if (exact) {
        memcpy(exact, all, len);
        LLVMFuzzerTestOneInput(exact, len);
    }
    free(exact);
    free(all);
    return 0;
}

static int replay_folder(const char *folder)
{
    DIR *d = opendir(folder);
    char path[4096];
    int bad = 0, n = 0;

    if (!d)
        return replay(folder);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        bad += replay(path);
        n++;
    }
    closedir(d);
    printf(n ? "ok %d inputs of %s\n" : "FAIL %d inputs in %s\n", n, strrchr(folder, '/') + 1);
    return bad || n == 0;
}

int main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++)
        bad += replay_folder(argv[i]);
    return bad > 0;
}
